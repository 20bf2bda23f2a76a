// A golden manifest: what sha256sum says of a clean reference host, "<hex>  /path" a line. It beats dpkg's own records, which
// an intruder can change together with the files.
#pragma once

#include <string>
#include <unordered_map>

#include "plugins/sdk/context.h"

namespace reprise::sanitize {

// By path. Empty: the step has no artifact golden.sha256. Throws sdk::Error "bad_golden", which names the line.
std::unordered_map<std::string, std::string> GoldenOf(const sdk::Context& context);

}  // namespace reprise::sanitize
