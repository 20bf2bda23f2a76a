// Whole tokens are taken at once where that is possible: wherever a content is cut into pieces, the answer must be the same, and a
// yes must be a yes of the parser that explains.
#include "plugins/backup/formats/json_check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace reprise::backup {
namespace {

bool Accepts(std::string_view text, size_t piece) {
  JsonCheck check;
  for (size_t at = 0; at < text.size(); at += piece) {
    if (!check.Feed(text.substr(at, piece))) return false;
  }
  return check.Whole();
}

const std::string kText =
    R"([{"a": 12, "b":"garde", "caf)" "\xc3\xa9" R"(": [ ], "d" : {} , "e": [true,false, null], "f": -0.5e+3},)"
    R"( {"long": "a string of more than sixteen plain letters", "g": "\u00e9\n\\", "h": [[0, 10], {"i": 9}]}, 7 ])";

TEST(JsonCheck, SaysTheSameHoweverItIsCut) {
  for (size_t piece = 1; piece <= kText.size(); ++piece) EXPECT_TRUE(Accepts(kText, piece)) << piece;
}

TEST(JsonCheck, EveryByteReplacedAndEveryLengthIsTheSameWhateverTheCut) {
  std::mt19937 random(8);
  const std::string others = "{}[]:,\"\\ 0e-tfn.+\n\x01\x80\xc3z";
  size_t accepted = 0, refused = 0;
  for (int turn = 0; turn < 20000; ++turn) {
    std::string text = kText.substr(0, turn % 7 == 0 ? random() % kText.size() : kText.size());
    for (unsigned changes = 1 + random() % 2; changes > 0 && !text.empty(); --changes) text[random() % text.size()] = others[random() % others.size()];
    const bool whole = Accepts(text, text.size());
    ASSERT_EQ(whole, Accepts(text, 1)) << text;
    ASSERT_EQ(whole, Accepts(text, 1 + random() % 40)) << text;
    if (whole) {
      ASSERT_TRUE(nlohmann::json::accept(text)) << text;
    }
    ++(whole ? accepted : refused);
  }
  EXPECT_GT(accepted, 500u);
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace reprise::backup
