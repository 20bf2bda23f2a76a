// What attempts prove of a side of the bubble. Pure: facts in, a judgement out.
#pragma once

#include <string>
#include <vector>

#include "plugins/bubble/target.h"
#include "plugins/sdk/results.h"

namespace reprise::bubble {

struct SideProof {
  sdk::ClaimState state = sdk::ClaimState::kUnknown;
  std::string detail;
};

// `before` and `after` are the controls, tried before and after the targets. One target that was reached: it fails.
// Else a family of addresses is proven only where a control of it was alive both times, for a cut cable reaches nothing
// either; and each of `kinds` (tcp, udp, icmp, dns, ipv6) must have been tried. Families of `unrouted` need no control
// where none of their targets could be sent at all.
SideProof Judge(const std::vector<Attempt>& targets, const std::vector<Attempt>& before,
                const std::vector<Attempt>& after, const std::vector<std::string>& kinds,
                const std::vector<std::string>& unrouted);

// "12 probes (dns 2, icmp 2, ipv6 5, tcp 4, udp 4)"
std::string CountOf(const std::vector<Attempt>& attempts);

}  // namespace reprise::bubble
