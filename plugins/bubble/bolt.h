// The second wall of a bubble, which stands in the gateway's routing and not in its packet filter. The bubble's table
// marks every packet from inside and to inside on its arrival; what is not marked has no way through:
//
//   11  marked                  go on to 14
//   12  of the gateway itself   go on to 14
//   13  in by an interface of the inside, or to an address of it: dropped
//   14  (nothing: the site's own rules of routing follow)
//
// So whoever takes the table away, or all tables, closes the bubble instead of opening it. Both walls would have to go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/bubble/state.h"

namespace reprise::bubble {

inline constexpr uint32_t kMark = 0x40000000;

// As `ip rule add` takes them, in the order in which they may be added to a gateway at work. Pure.
std::vector<std::string> BoltOf(const std::vector<Charter>& charters, bool ipv6);
// For `ip -batch`. Pure.
std::string BoltBatch(const Charter& charter, bool ipv6);

// From `ip -j rule show`, written as BoltOf does; what is not understood is shown as its JSON, after its place. Pure.
// Throws Error "ip_unreadable".
std::vector<std::string> RoutingRules(const std::string& json, bool ipv6);
// Of what is there: what may have come from BoltOf and is not wanted. Pure.
std::vector<std::string> Leftover(const std::vector<std::string>& wanted, const std::vector<std::string>& there);

// The families of addresses that this kernel has.
std::vector<bool> Families();

// How the gateway's routing differs from what all its bubbles want, one line for each, for people; rules that come
// before the bolts, too. Throws Error "ip_failed".
std::vector<std::string> LooseBolts(const sdk::Context& context, const std::vector<Charter>& charters);
// Whether there are bolts that none of these wants.
bool HasLeftover(const sdk::Context& context, const std::vector<Charter>& charters);

// Adds what is missing and takes away what is left over. Throws Error "ip_failed".
void SetBolts(const sdk::Context& context, const std::vector<Charter>& charters);

}  // namespace reprise::bubble
