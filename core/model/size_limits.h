// How great may be what people write and what travels to an agent. Command line, coordinator and agent hold to the same
// figures, so that nothing is taken on one side that the other must refuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::model {

// One message of the agents' stream, in either direction. Who is sent a greater one cuts the stream, comes back, and is
// sent it again: so what makes up the greatest, a plan's first task on a host, is bounded part by part below.
inline constexpr size_t kMessageBytesMax = 8 << 20;
// What is ready is packed into a batch up to this; the last that goes in may be of any size.
inline constexpr size_t kBatchBytes = 1 << 20;
// Statement, header, one host's part and its proof.
inline constexpr size_t kPlanPartBytesMax = 4 << 20;
inline constexpr size_t kPlanSignaturesBytesMax = 512 << 10;
// Decisions at the gates of one plan: each, their number, and all together.
inline constexpr size_t kGateBytesMax = 16 << 10;
inline constexpr size_t kGatesOfPlanMax = 1024;
inline constexpr size_t kGatesOfPlanBytesMax = 2 << 20;
static_assert(kBatchBytes + kPlanPartBytesMax + kPlanSignaturesBytesMax + kGatesOfPlanBytesMax + (128 << 10) <
                  kMessageBytesMax,
              "and room for the task's own words and its plugin's signature");

// Any free text of people: why a run is stopped, a gate opened, a host held.
inline constexpr size_t kReasonBytesMax = 2 << 10;
// Whatever waits or repeats in a plan, and the plan's own life.
inline constexpr int64_t kDurationMax = int64_t{366} * 86'400'000;

// Of a declared host.
inline constexpr size_t kAddressMax = 255;
inline constexpr int kLabelsMax = 32;
inline constexpr size_t kLabelValueMax = 256;

// INVALID_ARGUMENT says how long `what` is, how long it may be, and what to try.
absl::Status CheckReason(std::string_view what, std::string_view text);

// That every host can be sent its part of the plan. INVALID_ARGUMENT names the host whose part is the greatest, and the step
// whose parameters take the most of it. `leaf_bytes`: beside `leaves`.
absl::Status CheckPlanTravels(size_t statement_bytes, const plan::v1::PlanHeader& header, size_t header_bytes,
                              const std::vector<plan::v1::HostLeaf>& leaves, const std::vector<std::string>& leaf_bytes);

}  // namespace reprise::model
