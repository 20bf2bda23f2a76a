#include "plugins/backup/judge/source.h"

#include <gtest/gtest.h>

#include "tests/unit/plugins/backup/bytes.h"

namespace reprise::backup {
namespace {

// Gives a text in pieces of an odd size.
class PieceFlow final : public Flow {
 public:
  explicit PieceFlow(std::string text) : text_(std::move(text)) {}
  bool More(std::string& into) override {
    into += text_.substr(at_, 100'003);
    at_ = std::min(text_.size(), at_ + 100'003);
    return at_ < text_.size();
  }

 private:
  const std::string text_;
  size_t at_ = 0;
};

TEST(FlowSource, GivesEveryByteInOrderAndForgetsWhatIsFarBehind) {
  const std::string text = testing::RandomBytes(9 << 20);
  PieceFlow flow(text);
  FlowSource source(flow);
  std::string read;
  while (true) {
    const std::string piece = source.ReadString(read.size(), 70'001);
    if (piece.empty()) break;
    read += piece;
  }
  EXPECT_EQ(read, text);
  EXPECT_EQ(source.Size(), text.size());
  EXPECT_FALSE(source.Random());
  EXPECT_EQ(source.ReadString(0, 10), "");
}

TEST(FlowSource, BecomesRandomWhenItIsSmallEnough) {
  PieceFlow small(testing::RandomBytes(300'000)), large(testing::RandomBytes(300'000));
  FlowSource fits(small), does_not(large);
  EXPECT_TRUE(fits.Settle(1 << 20));
  EXPECT_EQ(fits.Size(), 300'000U);
  EXPECT_FALSE(does_not.Settle(150'000));
  EXPECT_EQ(does_not.ReadString(0, 300'000).size(), 300'000U);  // And is still read whole.
}

TEST(FlowSource, StaysWholeWhoeverAsksBeyondItsEnd) {
  const std::string text = testing::RandomBytes(6 << 20);
  PieceFlow flow(text);
  FlowSource source(flow);
  ASSERT_TRUE(source.Settle(16 << 20));
  EXPECT_EQ(source.ReadString(text.size() - 5, 100), text.substr(text.size() - 5));
  EXPECT_TRUE(source.Random());
  EXPECT_EQ(source.Whole(), text);
}

TEST(FlowSource, ShowsWhatItHasWithoutACopy) {
  const std::string text = testing::RandomBytes(9 << 20);
  PieceFlow flow(text);
  FlowSource source(flow);
  std::string seen, room;
  for (std::string_view piece = source.View(0, 70'001, room); !piece.empty(); piece = source.View(seen.size(), 70'001, room)) seen += piece;
  EXPECT_EQ(seen, text);
  EXPECT_EQ(room, "");
}

TEST(SliceSource, IsAPartAndCanBeKept) {
  PieceFlow flow(std::string(200'000, 'a') + "inner" + std::string(200'000, 'b'));
  FlowSource whole(flow);
  SliceSource slice(whole, 200'000, 5);
  EXPECT_FALSE(slice.Random());
  EXPECT_TRUE(slice.Settle(100));
  EXPECT_EQ(slice.ReadString(0, 100), "inner");
  EXPECT_EQ(slice.ReadString(3, 1), "e");
}

// In memory, where nothing is copied, and as it flows.
template <typename Check>
void OverBoth(const std::string& text, const Check& check) {
  MemorySource memory(text);
  Reader whole(memory);
  check(whole);
  PieceFlow flow(text);
  FlowSource flowing(flow);
  Reader windows(flowing);
  check(windows);
}

TEST(Reader, GivesAllOfItAsItComesAlsoBetweenLooks) {
  const std::string text = testing::RandomBytes(3 << 20);
  OverBoth(text, [&](Reader& reader) {
    std::string seen;
    for (int turn = 0; !reader.AtEnd(); ++turn) {
      seen += turn % 3 == 0 ? reader.Take(1'000) : reader.Some();
      ASSERT_EQ(reader.at(), seen.size());
    }
    EXPECT_EQ(seen, text);
    EXPECT_EQ(reader.Some(), "");
  });
}

TEST(Reader, PeeksTakesAndSkipsAcrossItsWindow) {
  const std::string text = testing::RandomBytes(1 << 20);
  OverBoth(text, [&](Reader& reader) {
    EXPECT_EQ(reader.Take(7), text.substr(0, 7));
    reader.Skip(500'000);
    EXPECT_EQ(reader.Peek(16), text.substr(500'007, 16));
    EXPECT_EQ(reader.Take(16), text.substr(500'007, 16));
    reader.Skip(1 << 20);
    EXPECT_TRUE(reader.AtEnd());
  });
}

}  // namespace
}  // namespace reprise::backup
