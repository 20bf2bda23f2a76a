// Can a TCP connection be opened from here? A connection that is refused has also been there and back.
#pragma once

#include <chrono>
#include <string>

#include "plugins/edr/isolation.h"
#include "plugins/sdk/context.h"

namespace reprise::edr {

enum class Reached { kConnected, kRefused, kNoAnswer, kNotSent };

struct Reach {
  Reached reached = Reached::kNotSent;
  std::string text;  // "10.0.0.1:7443: no answer"

  bool GotThrough() const { return reached == Reached::kConnected || reached == Reached::kRefused; }
};

Reach TryToReach(const sdk::Context& context, const Endpoint& endpoint, std::chrono::milliseconds limit);

}  // namespace reprise::edr
