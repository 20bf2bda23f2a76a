#include "plugins/mail/matching.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace reprise::mail {

std::vector<uint32_t> ToRead(const std::vector<Wanted>& wanted, const std::vector<Candidate>& candidates) {
  std::set<std::pair<uint64_t, int64_t>> looks;
  for (const Wanted& one : wanted) looks.emplace(one.bytes, one.date.unix_seconds);
  std::vector<uint32_t> uids;
  for (const Candidate& one : candidates) {
    if (one.sha256.empty() && looks.contains({one.bytes, one.date.unix_seconds})) uids.push_back(one.uid);
  }
  std::sort(uids.begin(), uids.end());
  return uids;
}

std::vector<Pair> Match(std::vector<Wanted> wanted, std::vector<Candidate> candidates) {
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.row < b.row; });
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.uid > b.uid; });
  // Of each content, the UIDs that are still free; the lowest last.
  std::map<std::tuple<std::string, uint64_t, int64_t>, std::vector<uint32_t>> free;
  for (const Candidate& one : candidates) {
    if (!one.sha256.empty()) free[{one.sha256, one.bytes, one.date.unix_seconds}].push_back(one.uid);
  }
  std::vector<Pair> pairs;
  for (const Wanted& one : wanted) {
    const auto found = free.find({one.sha256, one.bytes, one.date.unix_seconds});
    if (found == free.end() || found->second.empty()) continue;
    pairs.push_back({one.row, found->second.back()});
    found->second.pop_back();
  }
  return pairs;
}

}  // namespace reprise::mail
