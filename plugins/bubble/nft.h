// The gateway's packet filter, asked and changed by the program nft.
#pragma once

#include <optional>
#include <string>

#include "plugins/bubble/table.h"
#include "plugins/sdk/context.h"

namespace reprise::bubble {

// Nothing if there is no such table; of a dormant one, perhaps no more than that it is. Throws Error "nft_failed".
std::optional<Table> Loaded(const sdk::Context& context, const std::string& bubble);

std::vector<std::string> WaysAround(const sdk::Context& context);

// All of `lines` in one transaction, after nft -c had nothing against it; nothing if it had. Throws Error "nft_refused"
// (nothing was changed) or "set_full": a set with a limit has no room.
void Change(const sdk::Context& context, const std::string& lines);

// True if there was one.
bool DeleteTable(const sdk::Context& context, const std::string& bubble);

}  // namespace reprise::bubble
