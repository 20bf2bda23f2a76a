#include "plugins/bubble/evidence.h"

#include <algorithm>
#include <map>

namespace reprise::bubble {
namespace {

using sdk::ClaimState;

bool Among(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::map<std::string, int> Tally(const std::vector<Attempt>& attempts) {
  std::map<std::string, int> tally;
  for (const Attempt& attempt : attempts) {
    ++tally[attempt.target.kind];
    if (attempt.target.address.ipv6) ++tally["ipv6"];
  }
  return tally;
}

bool Alive(const std::vector<Attempt>& controls, bool ipv6) {
  return std::any_of(controls.begin(), controls.end(), [&](const Attempt& control) {
    return control.target.address.ipv6 == ipv6 && control.outcome == Outcome::kAnswered;
  });
}

// Why the targets of one family prove nothing; empty if they do.
std::string WhyUnproven(const std::vector<Attempt>& targets, const std::vector<Attempt>& before,
                        const std::vector<Attempt>& after, bool ipv6, bool unrouted) {
  const std::string family = ipv6 ? "IPv6" : "IPv4";
  size_t all = 0, unsent = 0;
  std::string one;
  for (const Attempt& attempt : targets) {
    if (attempt.target.address.ipv6 != ipv6) continue;
    ++all;
    if (attempt.outcome != Outcome::kNotSent) continue;
    ++unsent;
    one = attempt.text;
  }
  if (all == 0 || (unrouted && unsent == all)) return "";
  if (unsent > 0)
    return std::to_string(unsent) + " of " + std::to_string(all) + " " + family +
           " probes never left this host: " + one;
  const bool alive_before = Alive(before, ipv6), alive_after = Alive(after, ipv6);
  if (alive_before && alive_after) return "";
  return "no " + family + " control answered " + (alive_before ? "after the probes" : "before the probes") +
         ": a cut cable would look the same";
}

}  // namespace

std::string CountOf(const std::vector<Attempt>& attempts) {
  std::string kinds;
  for (const auto& [kind, count] : Tally(attempts))
    kinds += (kinds.empty() ? "" : ", ") + kind + " " + std::to_string(count);
  return std::to_string(attempts.size()) + " probes (" + kinds + ")";
}

SideProof Judge(const std::vector<Attempt>& targets, const std::vector<Attempt>& before,
                const std::vector<Attempt>& after, const std::vector<std::string>& kinds,
                const std::vector<std::string>& unrouted) {
  const std::string count = CountOf(targets);
  std::string through;
  for (const Attempt& attempt : targets) {
    if (attempt.GotThrough()) through += (through.empty() ? "" : "; ") + attempt.text;
  }
  if (!through.empty()) return {ClaimState::kFails, "got through: " + through + "; of " + count};
  const auto tally = Tally(targets);
  for (const std::string& kind : kinds) {
    if (!tally.contains(kind)) return {ClaimState::kUnknown, "nothing was tried over " + kind + "; of " + count};
  }
  for (const bool ipv6 : {false, true}) {
    const std::string why = WhyUnproven(targets, before, after, ipv6, Among(unrouted, ipv6 ? "ipv6" : "ipv4"));
    if (!why.empty()) return {ClaimState::kUnknown, why};
  }
  return {ClaimState::kHolds, count + ", none got through"};
}

}  // namespace reprise::bubble
