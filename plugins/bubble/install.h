// Brings a bubble from what is noted of it into the kernel, the files and the host's services, and out of them again.
// Each step asks first, so that all of it may be done again after it was cut short.
#pragma once

#include <optional>
#include <string>

#include "plugins/bubble/boot.h"
#include "plugins/bubble/nft.h"

namespace reprise::bubble {

// Where actions may write.
std::vector<std::string> WritablePaths();

// The first thing that is not as `bubble` says; empty if all is.
std::string WhyNotInstalled(const sdk::Context& context, const Store& store, const Bubble& bubble);

// Notes it, loads it (posts, flows and figures go on), and makes it come back at boot. REQUIRES: the store's lock.
void Install(const sdk::Context& context, const Store& store, const Bubble& bubble);

// What of the bubble is still there; empty if nothing.
std::string WhyNotGone(const sdk::Context& context, const Store& store, const std::string& bubble);

// True if there was anything. REQUIRES: the store's lock.
bool Remove(const sdk::Context& context, const Store& store, const std::string& bubble);

// "default drop, 2 members, 1 management flow, 4 of 4 posts, 0 flows"
std::string Described(const Bubble& bubble);

std::string Listed(const std::vector<std::string>& lines, size_t most);

}  // namespace reprise::bubble
