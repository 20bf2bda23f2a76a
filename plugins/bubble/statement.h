// A rule of `nft -j` in nft's own words, with everything that has no order sorted. Pure.
#pragma once

#include <string>

#include "plugins/sdk/results.h"

namespace reprise::bubble {

// `expr` of a rule. What is not understood comes out as its JSON.
std::string RuleText(const sdk::Json& expr);

// One element of a set: "10.20.0.0/24", "10.20.0.2 . 10.1.0.2 . tcp . 7443".
std::string ElementText(const sdk::Json& value);

}  // namespace reprise::bubble
