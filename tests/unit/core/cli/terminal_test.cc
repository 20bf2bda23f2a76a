#include "core/cli/terminal.h"

#include <gtest/gtest.h>

#include "core/crypto/utf8.h"
#include "tests/support/any_bytes.h"

namespace reprise::cli {
namespace {

TEST(OneLine, MovesNoCursorAndBeginsNoLine) {
  EXPECT_EQ(OneLine("bad\nsrv-9 is well"), "bad srv-9 is well");
  EXPECT_EQ(OneLine("bad\r\n\tsrv-9 is well\n"), "bad srv-9 is well");
  EXPECT_EQ(OneLine("bad\x1b[2Jreason"), "bad [2Jreason");
  EXPECT_EQ(OneLine("bad\x1b[1A\rgood"), "bad [1A good");
  EXPECT_EQ(OneLine("bad\x7f\x7f\x7fgood"), "bad good");
  EXPECT_EQ(OneLine("bad\xc2\x9b""2Jreason"), "bad 2Jreason") << "the same in one character";
}

TEST(OneLine, HasNothingThatIsNotSeenOrTurnsTheDirectionOfWriting) {
  EXPECT_EQ(OneLine("ws-001\u202e100-sw"), "ws-001 100-sw");
  EXPECT_EQ(OneLine("ws\u200b-001"), "ws -001");
  EXPECT_EQ(OneLine("bad\u2028srv-9"), "bad srv-9");
  EXPECT_EQ(OneLine("bad\xffsrv-9"), "bad?srv-9");
}

TEST(OneLine, LeavesAnHonestTextAsItIs) {
  EXPECT_EQ(OneLine("  Hôpital Σ 病院 🏥 ~"), "  Hôpital Σ 病院 🏥 ~");
  EXPECT_EQ(OneLine(""), "");
}

TEST(OneLine, IsPlainForAnyBytes) {
  AnyBytes bytes;
  for (int round = 0; round < 2000; ++round) {
    EXPECT_EQ(crypto::FindUnplain(OneLine(bytes.Next(12))), std::string_view::npos);
  }
}

}  // namespace
}  // namespace reprise::cli
