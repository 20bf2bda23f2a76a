#include "plugins/mail/roster.h"

#include <gmock/gmock.h>

#include "plugins/sdk/error.h"

namespace reprise::mail {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::string WhyNot(const std::string& text) {
  try {
    ParseRoster(text);
    return "";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "bad_roster");
    return error.what();
  }
}

TEST(Roster, ReadsColumnsInAnyOrderWithEitherSeparator) {
  const Roster roster = ParseRoster("\xEF\xBB\xBF" "batch;mailbox;target_user;source_user;mover\r\n"
                                    "lot-1;\"Dupont; Anne\";a.dupont@new;a.dupont;mover-1\r\n\r\nlot-2;b;b@new;\"b \"\"x\"\"\";\n");
  ASSERT_THAT(roster.boxes, SizeIs(2));
  EXPECT_EQ(roster.boxes[0].mailbox, "Dupont; Anne");
  EXPECT_EQ(roster.boxes[0].target_user, "a.dupont@new");
  EXPECT_EQ(roster.boxes[1].source_user, "b \"x\"");
  EXPECT_EQ(roster.boxes[1].line, 4u);
}

TEST(Roster, GivesABatchToTheHostThatMovesIt) {
  const Roster roster = ParseRoster("mailbox,source_user,target_user,batch,mover\na,a,a,one,m1\nb,b,b,one,m2\nc,c,c,one,\nd,d,d,two,m1\n");
  EXPECT_THAT(roster.Batch("one", "m1"), SizeIs(2));
  EXPECT_THAT(roster.Batch("two", "m2"), SizeIs(0));
  EXPECT_THROW(roster.Batch("three", "m1"), sdk::Error);
}

TEST(Roster, SaysWhichLineIsWrongAndNoName) {
  const std::string head = "mailbox,source_user,target_user,batch\n";
  EXPECT_THAT(WhyNot(""), HasSubstr("empty"));
  EXPECT_THAT(WhyNot("anne,dupont,x,y\n"), Not(HasSubstr("anne")));
  EXPECT_THAT(WhyNot("mailbox,source_user,batch\na,a,one\n"), HasSubstr("target_user is missing"));
  EXPECT_THAT(WhyNot(head), HasSubstr("no mailbox"));
  EXPECT_THAT(WhyNot(head + "anne,anne,anne\n"), HasSubstr("line 2: 3 fields, expected 4"));
  EXPECT_THAT(WhyNot(head + "anne,,anne,one\n"), HasSubstr("line 2: column source_user is empty"));
  EXPECT_THAT(WhyNot(head + "anne,anne,anne,one\nbert,bert,anne,one\n"), HasSubstr("line 3: column target_user has the same value as line 2"));
  EXPECT_THAT(WhyNot(head + "anne,anne,anne,one\nbert,bert,anne,one\n"), Not(HasSubstr("anne")));
  EXPECT_THAT(WhyNot(head + "\"anne,anne,anne,one\n"), HasSubstr("line 2"));
  EXPECT_THAT(WhyNot(head + "anne,anne,anne,../x\n"), HasSubstr("line 2: column batch"));
  EXPECT_THAT(WhyNot(head + "ann\xE9,anne,anne,one\n"), HasSubstr("line 2: column mailbox is not UTF-8"));
}

TEST(Roster, TakesTheMailboxesOfAHospitalInNoTime) {
  std::string text = "mailbox,source_user,target_user,batch\n";
  for (int i = 0; i < 4100; ++i) {
    const std::string user = "user" + std::to_string(i);
    text += user + "," + user + "," + user + "@new.example," + "lot-" + std::to_string(i / 100) + "\n";
  }
  const Roster roster = ParseRoster(text);
  EXPECT_THAT(roster.boxes, SizeIs(4100));
  EXPECT_THAT(roster.Batch("lot-40", "mover-1"), SizeIs(100));
}

}  // namespace
}  // namespace reprise::mail
