// What brings a bubble's rules back: at boot, before the network is up, and within seconds when somebody flushes them
// while the gateway runs. A service of the host (systemd or runit) with scripts of ours:
//
//   <bubble>.boot    the rules, if they are not there; the bolts (bolt.h); then forwarding: in this order, so that
//                    nothing passes in between
//   <bubble>.guard   stays as long as the rules do, and sets bolts that are missing
//   <bubble>.halt    only while the bubble is destroyed: forwarding as it was before the first bubble
//
// What comes back is sealed: members and their management flows, no post, no other flow. bubble.readmit takes the seal
// off, after a new proof.
#pragma once

#include <string>

#include "plugins/bubble/rules.h"
#include "plugins/bubble/store.h"
#include "plugins/sdk/service.h"

namespace reprise::bubble {

std::string ServiceName(const std::string& bubble);

// Pure: the texts.
std::string BootScript(const Bubble& bubble, const std::filesystem::path& rules);
std::string GuardScript(const Bubble& bubble, const std::filesystem::path& rules);
std::string HaltScript(const Bubble& bubble);
std::string UnitText(const Store& store, const Bubble& bubble);
std::string RunText(const Store& store, const Bubble& bubble);

// Whether packets are forwarded now, in this verb's network.
bool Forwards(bool ipv6);

// Writes what the next boot loads: the rules, sealed, and the bolts.
void WriteRules(const Store& store, const Bubble& bubble);

// Files, service, forwarding. Throws Error "no_supervisor", "service_failed".
void InstallHook(const sdk::Context& context, const Store& store, const Bubble& bubble);

// What is missing of it; empty if nothing.
std::string WhyNotBootable(const sdk::Context& context, const Store& store, const Bubble& bubble);

// Ends the service, and with the last bubble of the gateway gives forwarding back. True if there was one.
bool RemoveHook(const sdk::Context& context, const Store& store, const Bubble& bubble);
bool HookIsThere(const sdk::Context& context, const std::string& bubble);

}  // namespace reprise::bubble
