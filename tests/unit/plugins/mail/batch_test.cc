// Batches on simulated servers: many boxes at a time, tries, states, and what is told of them.
#include "plugins/mail/batch.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "plugins/mail/report.h"
#include "plugins/mail/verification.h"
#include "tests/unit/plugins/mail/simulated_store.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::mail {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const FolderPath kInbox = {"INBOX"};

Box BoxOf(int number, const std::string& excluded = "") {
  const std::string name = "user" + std::to_string(number);
  return {size_t(number + 1), name, name + "@old", name + "@new", "lot-1", "", excluded};
}

class SimBatch {
 public:
  explicit SimBatch(int boxes, int messages = 5) {
    std::string made = "/tmp/reprise-batch-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder");
    options.state = made;
    options.pause_min = std::chrono::milliseconds(1);
    for (int i = 1; i <= boxes; ++i) {
      this->boxes.push_back(BoxOf(i));
      for (int j = 0; j < messages; ++j) source[this->boxes.back().source_user].folders[kInbox].Add(MessageOf(100 * i + j));
      target[this->boxes.back().target_user].folders[kInbox];
      fates[this->boxes.back().mailbox];
    }
  }
  ~SimBatch() { std::filesystem::remove_all(options.state); }

  Stores stores() {
    return {[this](const Box& box) {
              ++opened;
              if (refused == box.mailbox) throw sdk::Error("auth_failed", "no");
              return std::make_unique<SimStore>(source.at(box.source_user), fates.at(box.mailbox));
            },
            [this](const Box& box) { return std::make_unique<SimStore>(target.at(box.target_user), fates.at(box.mailbox)); }};
  }
  std::vector<BoxResult> Move(size_t connections = 3) {
    const Stores opened_by = stores();
    return ForEachBox(boxes, connections, watch, [&](const Box& box, const Watch& mine) { return MoveBox(box, opened_by, options, mine); });
  }
  BoxResult Known(size_t index) { return BoxAsKnown(options.state, boxes[index], options.state); }

  std::vector<Box> boxes;
  std::map<std::string, SimServer> source, target;
  std::map<std::string, Fate> fates;
  std::atomic<int> opened = 0;
  std::string refused;
  BoxOptions options;
  Watch watch;
};

TEST(Batch, MovesAllBoxesSeveralAtATime) {
  SimBatch batch(9);
  const auto results = batch.Move(4);
  EXPECT_THAT(results, AllOf(SizeIs(9), Each(Field(&BoxResult::state, BoxState::kPrestaged))));
  for (const Box& box : batch.boxes) EXPECT_EQ(InOrder(batch.target[box.target_user], kInbox), InOrder(batch.source[box.source_user], kInbox));
  EXPECT_EQ(batch.Known(3).state, BoxState::kPrestaged);
  EXPECT_EQ(TallyOf(results).moved.copied, 45u);
}

TEST(Batch, ABoxThatFailsStopsNoOther) {
  SimBatch batch(5);
  batch.target["user2@new"].quota = 60;
  batch.refused = "user4";
  batch.boxes[4].excluded = "left the hospital";
  const auto results = batch.Move();
  const BatchTally tally = TallyOf(results);
  EXPECT_EQ(tally.of(BoxState::kPrestaged), 2u);
  EXPECT_EQ(tally.of(BoxState::kExcluded), 1u);
  EXPECT_EQ(tally.Shown(), "2 prestaged, 2 failed (auth_failed 1, over_quota 1), 1 excluded");
  EXPECT_EQ(batch.Known(1).why, "over_quota");
  // Room was made: only what is missing is copied.
  batch.target["user2@new"].quota = 1 << 20;
  batch.refused.clear();
  EXPECT_EQ(TallyOf(batch.Move()).of(BoxState::kPrestaged), 4u);
  EXPECT_THAT(batch.target["user2@new"].folders[kInbox].messages, SizeIs(5));
}

TEST(Batch, ABoxThatWasFullKeepsItsOrderWhenItGoesOn) {
  for (uint64_t quota = 0; quota < 900; quota += 30) {
    SimBatch batch(1, 0);
    SimFolder& inbox = batch.source["user1@old"].folders[kInbox];
    for (int i = 0; i < 12; ++i) {
      SimMessage message = MessageOf(i);
      if (i % 3 == 0) message.content += std::string(150, 'x');
      inbox.Add(message);
    }
    batch.options.move.window_messages = 4;
    batch.target["user1@new"].quota = quota;
    EXPECT_EQ(batch.Move()[0].why, "over_quota");
    batch.target["user1@new"].quota = 1 << 20;
    batch.Move();
    EXPECT_EQ(InOrder(batch.target["user1@new"], kInbox), InOrder(batch.source["user1@old"], kInbox)) << quota;
  }
}

TEST(Batch, ALostConnectionIsTriedAgainAndDoublesNothing) {
  SimBatch batch(3, 8);
  for (auto& [name, fate] : batch.fates) fate = {.at = 24, .fault = Fault::kConnectionLost};
  batch.options.move.window_messages = 3;
  EXPECT_THAT(batch.Move(), Each(Field(&BoxResult::state, BoxState::kPrestaged)));
  EXPECT_GT(batch.opened, 3);
  for (const Box& box : batch.boxes) EXPECT_EQ(InOrder(batch.target[box.target_user], kInbox), InOrder(batch.source[box.source_user], kInbox));
}

TEST(Batch, GivesUpOnAServerThatNeverAnswersAfterSomeTries) {
  SimBatch batch(1);
  batch.options.tries_max = 4;
  const Stores stores = {[&](const Box&) -> std::unique_ptr<Source> {
                           ++batch.opened;
                           throw sdk::Error("unreachable", "nobody answers");
                         },
                         batch.stores().target};
  const BoxResult result = MoveBox(batch.boxes[0], stores, batch.options, batch.watch);
  EXPECT_EQ(result.why, "unreachable");
  EXPECT_EQ(batch.opened, 4);
}

TEST(Batch, EndsWithoutDelayWhenItIsCancelled) {
  SimBatch batch(20, 30);
  std::atomic<int> checks = 0;
  batch.watch.check = [&] {
    if (++checks > 40) throw sdk::Error("cancelled", "asked to end");
  };
  EXPECT_THROW(batch.Move(), sdk::Error);
  batch.watch.check = [] {};
  EXPECT_THAT(batch.Move(), Each(Field(&BoxResult::state, BoxState::kPrestaged)));
  for (const Box& box : batch.boxes) EXPECT_THAT(batch.target[box.target_user].folders[kInbox].messages, SizeIs(30));
}

TEST(Batch, CutsOverOnceAndNeverTouchesTheTargetAgain) {
  SimBatch batch(2);
  batch.options.cut_over = true;
  batch.options.closing = Closing::kByGate;
  EXPECT_THAT(batch.Move(), Each(Field(&BoxResult::state, BoxState::kCutOver)));
  batch.source["user1@old"].folders[kInbox].messages.clear();
  batch.options.cut_over = false;
  batch.options.move.deletions = Deletions::kFollowAll;
  EXPECT_THAT(batch.Move(), Each(Field(&BoxResult::state, BoxState::kCutOver)));
  EXPECT_THAT(batch.target["user1@new"].folders[kInbox].messages, SizeIs(5));
}

TEST(Batch, DoesNotCutOverWhileMailComes) {
  SimBatch batch(1);
  batch.options.cut_over = true;
  batch.options.closing = Closing::kByGate;
  int number = 900;
  batch.fates["user1"].meanwhile = [&](uint64_t instant) {
    if (instant % 9 == 0) batch.source["user1@old"].folders[kInbox].Add(MessageOf(number++));
  };
  EXPECT_EQ(batch.Move()[0].why, "still_receiving");
}

TEST(Batch, HowManyMayFailIsANumberOrAShare) {
  EXPECT_EQ(FailuresMax("0", 40), 0u);
  EXPECT_EQ(FailuresMax("10%", 40), 4u);
  EXPECT_EQ(FailuresMax("7", 40), 7u);
  for (const char* wrong : {"", "x", "10 %", "-1", "101%", "5x"}) EXPECT_THROW(FailuresMax(wrong, 40), sdk::Error) << wrong;
}

TEST(Batch, PausesDoubleAndDifferFromBoxToBox) {
  using std::chrono::milliseconds;
  std::set<int64_t> first;
  for (int box = 0; box < 50; ++box) {
    int64_t before = 0;
    for (int failures = 1; failures <= 12; ++failures) {
      const int64_t pause = PauseBefore(failures, "box" + std::to_string(box), milliseconds(500), milliseconds(60000)).count();
      const int64_t whole = std::min<int64_t>(500ll << (failures - 1), 60000);
      EXPECT_GE(pause, whole / 2);
      EXPECT_LE(pause, whole);
      before = pause;
    }
    first.insert(before);
  }
  EXPECT_GT(first.size(), 40u);
}

TEST(Batch, SaysHowFarItIs) {
  EXPECT_EQ(BatchProgress::Shown(10, 40, 600, 60), "10 of 40 boxes, 600 messages, 10/s, about 3 min left");
  EXPECT_EQ(BatchProgress::Shown(0, 40, 0, 0), "0 of 40 boxes, 0 messages");
}

TEST(Batch, TracksTheMailboxesOfAHospitalWithoutStrain) {
  SimBatch batch(0);
  for (int i = 0; i < 4100; ++i) batch.boxes.push_back(BoxOf(i));
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < batch.boxes.size(); ++i) EXPECT_EQ(batch.Known(i).state, BoxState::kListed);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(Verification, FindsEachKindOfDifference) {
  SimBatch batch(1, 6);
  batch.Move();
  SimServer& server = batch.target["user1@new"];
  const auto look = [&] {
    Fate none;
    SimStore from(batch.source["user1@old"], none), to(batch.target["user1@new"], none);
    const auto ledger = Ledger::OpenToRead(LedgerFile(batch.options.state, batch.boxes[0]), batch.options.state);
    return VerifyBox(from, to, &*ledger, {}, {});
  };
  EXPECT_TRUE(look().holds());
  EXPECT_EQ(look().Shown(), "6 of 6 messages the same");
  const SimFolder good = server.folders[kInbox];
  const std::pair<std::function<void()>, uint64_t VerifyCounts::*> harms[] = {
      {[&] { server.folders[kInbox].messages.erase(2); }, &VerifyCounts::missing},
      {[&] { server.folders[kInbox].messages.at(2).content[5] ^= 1; }, &VerifyCounts::differ},
      {[&] { server.folders[kInbox].messages.at(2).content += "x"; }, &VerifyCounts::differ},
      {[&] { server.folders[kInbox].messages.at(2).flags = {"\\Seen"}; }, &VerifyCounts::flags},
      {[&] { server.folders[kInbox].messages.at(2).date.unix_seconds += 1; }, &VerifyCounts::dates},
      {[&] { server.folders[kInbox].Add(server.folders[kInbox].messages.at(2)); }, &VerifyCounts::doubled},
      {[&] { server.folders[kInbox].Renumber(); }, &VerifyCounts::renumbered},
      {[&] { server.folders.clear(); }, &VerifyCounts::missing_folders}};
  for (const auto& [harm, count] : harms) {
    harm();
    const VerifyCounts counts = look();
    EXPECT_EQ(counts.*count, 1u) << counts.Shown();
    EXPECT_FALSE(counts.holds()) << counts.Shown();
    server.folders[kInbox] = good;
  }
  server.folders[kInbox].Add({"somebody else's", {1, 0}, {}});
  EXPECT_EQ(look().foreign, 1u);
  EXPECT_TRUE(look().holds());
  batch.source["user1@old"].folders[kInbox].Add(MessageOf(7));
  EXPECT_EQ(look().fresh, 1u);
  EXPECT_FALSE(look().holds());
  EXPECT_TRUE(look().sound());
}

TEST(Report, NamesBoxesAndMessagesForTheMailLeadAlone) {
  SimBatch batch(2);
  batch.source["user1@old"].folders[{"Envoyés"}].Add({"MALFORMED", {1'660'000'000, 0}, {}});
  const auto results = batch.Move();
  std::vector<BoxReport> reports;
  for (const BoxResult& result : results) {
    const auto ledger = Ledger::OpenToRead(LedgerFile(batch.options.state, result.box), batch.options.state);
    reports.push_back(ReportOf(result, &*ledger));
  }
  const auto folder = batch.options.state / "reports";
  WriteReport(folder, "lot-1", "prestaging", reports);
  struct stat found {};
  for (const char* ending : {".txt", ".csv"}) {
    ASSERT_EQ(stat((folder / (std::string("lot-1") + ending)).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
  }
  const std::string text = sdk::ReadFile(folder / "lot-1.txt"), csv = sdk::ReadFile(folder / "lot-1.csv");
  EXPECT_THAT(text, AllOf(HasSubstr("CONFIDENTIEL"), HasSubstr("user1"), HasSubstr("Envoyés, 2022-08-08 23:06, 9 octets/bytes: message que la cible refuse / a message")));
  EXPECT_LT(text.find("user1"), text.find("user2")) << "who needs somebody comes first";
  EXPECT_THAT(csv, HasSubstr("\"lot-1\",\"user1\",\"user1@new\",\"failed\",\"malformed\",5,"));
}

TEST(Report, GivesASpreadsheetNoFormula) {
  BoxReport report;
  report.result.box = {2, "=cmd|' /C calc'!A0", "a", "b", "lot-1", "", ""};
  EXPECT_THAT(ReportCsv("lot-1", {report}), HasSubstr("\"'=cmd|"));
  report.result.box.mailbox = "x\x1b[2Jy";
  EXPECT_THAT(ReportText("lot-1", "d", "w", {report}), Not(HasSubstr("\x1b")));
}

TEST(Folders, FollowSpecialUsesAndNeverMix) {
  const auto same = [](const FolderPath& path) { return path; };
  const std::vector<Folder> source = {{{"INBOX"}}, {{"Sent"}}, {{"Envoyés"}, true, false, {"\\Sent"}}, {{"Envoyés", "2021"}}, {{"Tout"}, true, false, {"\\All"}}, {{"sent items"}}};
  const std::vector<Folder> target = {{{"INBOX"}}, {{"Sent Items"}, true, false, {"\\Sent"}}, {{"Sent"}}};
  const FolderPlan plan = PlanFolders(source, target, {}, same, true);
  std::map<FolderPath, FolderPath> places;
  for (const FolderPair& pair : plan.pairs) places[pair.source.path] = pair.target;
  EXPECT_EQ(places[{"Envoyés"}], FolderPath({"Sent Items"}));
  EXPECT_EQ((places[FolderPath{"Envoyés", "2021"}]), FolderPath({"Sent Items", "2021"}));
  EXPECT_EQ(places[{"Sent"}], FolderPath({"Sent"}));
  EXPECT_EQ(places[{"sent items"}], FolderPath({"sent items-2"})) << "a target that folds case would mix them";
  EXPECT_THAT(plan.virtuals, SizeIs(1));
  // What was decided stays, whatever the target has now.
  const FolderPlan again = PlanFolders(source, {}, places, same, true);
  for (const FolderPair& pair : again.pairs) EXPECT_EQ(pair.target, places[pair.source.path]);
}

TEST(Ledger, IsOneRunsAtATime) {
  SimMove move;
  const Ledger first = Ledger::OpenToWrite(move.LedgerFile());
  EXPECT_THROW(Ledger::OpenToWrite(move.LedgerFile()), sdk::Error);
  EXPECT_THROW(Ledger::OpenToRead(move.LedgerFile(), move.options.spool), sdk::Error);
}

TEST(Ledger, SaysWhatToDoWhenItIsNoLedger) {
  SimMove move;
  std::ofstream(move.LedgerFile()) << "this is no database, whatever its name says; it is long enough to be looked at as one";
  try {
    Ledger::OpenToWrite(move.LedgerFile());
    FAIL();
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "ledger_broken");
    EXPECT_THAT(error.hint(), HasSubstr("move the ledger's file away"));
  }
}

}  // namespace
}  // namespace reprise::mail
