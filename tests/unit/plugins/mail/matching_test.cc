#include "plugins/mail/matching.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

namespace reprise::mail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Wanted WantedOf(int64_t row, int content) { return {row, uint64_t(content % 2), {content % 2, 0}, "h" + std::to_string(content)}; }
Candidate CandidateOf(uint32_t uid, int content, bool read) {
  return {uid, uint64_t(content % 2), {content % 2, 0}, read ? "h" + std::to_string(content) : ""};
}

// Every way to have up to four wanted and four candidates of three contents, two of which look alike until they are read.
TEST(Matching, GivesEachOnceAndAsManyAsThereCanBe) {
  size_t cases = 0;
  for (int wanted_many = 0; wanted_many <= 4; ++wanted_many) {
    for (int there_many = 0; there_many <= 4; ++there_many) {
      int all = 1;
      for (int i = 0; i < wanted_many + there_many; ++i) all *= 3;
      for (int code = 0; code < all; ++code) {
        int rest = code;
        std::vector<Wanted> wanted;
        std::vector<Candidate> candidates;
        std::map<std::string, std::pair<size_t, size_t>> contents;
        for (int i = 0; i < wanted_many; ++i, rest /= 3) wanted.push_back(WantedOf(10 + i, rest % 3)), ++contents["h" + std::to_string(rest % 3)].first;
        for (int i = 0; i < there_many; ++i, rest /= 3) candidates.push_back(CandidateOf(uint32_t(100 + i), rest % 3, true)), ++contents["h" + std::to_string(rest % 3)].second;
        const std::vector<Pair> pairs = Match(wanted, candidates);
        std::set<int64_t> rows;
        std::set<uint32_t> uids;
        std::map<std::string, size_t> given;
        for (const Pair& pair : pairs) {
          ASSERT_TRUE(rows.insert(pair.row).second) << "a row twice";
          ASSERT_TRUE(uids.insert(pair.uid).second) << "a message twice";
          const std::string& hash = wanted[size_t(pair.row - 10)].sha256;
          ASSERT_EQ(hash, candidates[pair.uid - 100].sha256);
          ++given[hash];
        }
        for (const auto& [hash, many] : contents) ASSERT_EQ(given[hash], std::min(many.first, many.second)) << hash;
        ++cases;
      }
    }
  }
  EXPECT_EQ(cases, size_t{121 * 121});
}

TEST(Matching, KeepsTheOrderOfEqualOnes) {
  EXPECT_THAT(Match({WantedOf(2, 0), WantedOf(1, 0)}, {CandidateOf(9, 0, true), CandidateOf(7, 0, true)}), ElementsAre(Pair{1, 7}, Pair{2, 9}));
}

TEST(Matching, TakesNobodyUnread) {
  EXPECT_THAT(Match({WantedOf(1, 0)}, {CandidateOf(7, 0, false)}), IsEmpty());
}

TEST(Matching, ReadsOnlyWhatLooksLikeOneThatIsWanted) {
  const std::vector<Candidate> candidates = {CandidateOf(9, 2, false), CandidateOf(7, 0, false), CandidateOf(8, 1, false), CandidateOf(6, 0, true)};
  EXPECT_THAT(ToRead({WantedOf(1, 0)}, candidates), ElementsAre(7, 9));
}

}  // namespace
}  // namespace reprise::mail
