// How much one outcome may bring along. The agent keeps to it with whatever a plugin says; the coordinator holds agents to it,
// for a host may be in other hands, and the journal keeps everything for ever.
#pragma once

#include <cstddef>

namespace reprise::model {

inline constexpr size_t kEvidenceBytesMax = 64 << 10;
inline constexpr int kClaimsMax = 64;
inline constexpr int kVerdictsMax = 256;
inline constexpr int kMeasuresMax = 64;

}  // namespace reprise::model
