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

// The first interface of the charter that this gateway does not have: rules go by names, and what comes in by another is not
// held. Empty: all are there.
std::string MissingInterface(const Charter& charter);

// The first thing that is not as `bubble` says; empty if all is.
std::string WhyNotInstalled(const sdk::Context& context, const Store& store, const Bubble& bubble);

// Notes it, loads it (posts, flows and figures go on), bolts it, and makes it come back at boot. Where the rules were
// gone and somebody was in, it is loaded sealed: what passed meanwhile nobody knows. REQUIRES: the store's lock.
void Install(const sdk::Context& context, const Store& store, const Bubble& bubble);

// What of the bubble is still there; empty if nothing.
std::string WhyNotGone(const sdk::Context& context, const Store& store, const std::string& bubble);

// True if there was anything. REQUIRES: the store's lock.
bool Remove(const sdk::Context& context, const Store& store, const std::string& bubble);

// Whether it is sealed, or would be once it were loaded.
bool ComesSealed(const Bubble& bubble, const std::optional<Table>& table);

// How routing differs from what the bubbles of this gateway want, `bubble` among them as it is given.
std::vector<std::string> LooseBolts(const sdk::Context& context, const Store& store, const Bubble& bubble);

// For claims, which stand for as long as nothing is changed: "default drop, 2 members, 1 management flow, at most 4
// posts"; or "…, sealed until bubble.readmit".
std::string Lasting(const Charter& charter, bool sealed);
// For whoever looks now: "default drop, 2 members, 1 management flow, 4 of 4 posts, 0 flows"; or "…, sealed: 4 of 4 posts
// and 0 flows wait for bubble.readmit".
std::string Described(const Bubble& bubble, bool sealed);

std::string Listed(const std::vector<std::string>& lines, size_t most);

}  // namespace reprise::bubble
