// One way through a bubble's wall: what is asked, whether it is open, and the change in the kernel.
#pragma once

#include <optional>
#include <string>

#include "plugins/bubble/install.h"

namespace reprise::bubble {

// The way, without its times. Throws Error "bad_params".
Flow WayFrom(const sdk::Context& context);
// From the parameters of bubble.open_flow, opened at `now_ms`. Throws Error "bad_params".
Flow FlowFrom(const sdk::Context& context, int64_t now_ms);
// Throws Error "bad_params" unless one of its ends is a member.
void CheckAgainst(const Flow& flow, const Charter& charter);

// The one that runs now.
const Flow* Running(const Bubble& bubble, const Flow& way, int64_t now_ms);
// The one that this decision opened, running or not.
const Flow* Opened(const Bubble& bubble, const Flow& wanted);

bool InKernel(const std::optional<Table>& table, const Flow& flow);
std::string WhyNotOpen(const Bubble& bubble, const Flow& wanted, const std::optional<Table>& table, int64_t now_ms);

// "2026-11-24T09:30:00Z"
std::string UtcOf(int64_t unix_ms);

// Makes room among the notes for one more: the oldest that has ended is forgotten. Throws Error "too_many_flows".
void MakeRoom(std::vector<Flow>& flows, int64_t now_ms);

// The kernel has of this way what `bubble` says of it. Throws Error "bubble_not_loaded".
void LoadWay(const sdk::Context& context, const Bubble& bubble, const Flow& way, int64_t now_ms);

}  // namespace reprise::bubble
