// The migration on simulated servers: ended at every instant, it still brings each message exactly once.
#include <gmock/gmock.h>

#include <random>

#include "tests/unit/plugins/mail/simulated_store.h"

namespace reprise::mail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const FolderPath kInbox = {"INBOX"};
const FolderPath kArchive = {"Archives", "Août"};

// Two folders; equal messages among them, and gaps between UIDs.
void Fill(SimServer& server) {
  SimFolder& inbox = server.folders[kInbox];
  for (int i = 1; i <= 7; ++i) inbox.Add(MessageOf(i, i % 2 == 0 ? std::vector<std::string>{"\\Seen"} : std::vector<std::string>{}));
  inbox.Add(MessageOf(3));
  inbox.Add(MessageOf(3));
  inbox.messages.erase(2);
  inbox.next = 40;
  inbox.Add(MessageOf(8, {"$Junk", "\\Answered"}));
  SimFolder& archive = server.folders[kArchive];
  archive.subscribed = true;
  for (int i = 20; i <= 23; ++i) archive.Add(MessageOf(i));
  archive.Add(MessageOf(3));
}

void ExpectEqual(const SimMove& move) {
  for (const auto& [path, folder] : move.source.folders) EXPECT_EQ(InOrder(move.target, path), InOrder(move.source, path)) << path.back();
}
void ExpectSameMessages(const SimMove& move) {
  for (const auto& [path, folder] : move.source.folders) EXPECT_EQ(Sorted(InOrder(move.target, path)), Sorted(InOrder(move.source, path))) << path.back();
}

// Runs once to its end and says how many instants that has.
uint64_t InstantsOf(const std::function<void(SimMove&)>& prepare) {
  SimMove move;
  prepare(move);
  Fate fate;
  move.Pass(fate);
  return fate.passed;
}

// Ends a pass at each instant, goes on with the ledger as it is on disk, and looks at what came of it.
void AtEveryInstant(Fault fault, const std::function<void(SimMove&)>& prepare, const std::function<void(SimMove&)>& then,
                    const std::function<void(const SimMove&)>& look) {
  const uint64_t instants = InstantsOf(prepare);
  ASSERT_GT(instants, 30u);
  for (uint64_t at = 1; at <= instants && !::testing::Test::HasFailure(); ++at) {
    SCOPED_TRACE("ended at instant " + std::to_string(at) + " of " + std::to_string(instants));
    SimMove move;
    prepare(move);
    Fate fate{.at = at, .fault = fault};
    try {
      move.Pass(fate);
      ADD_FAILURE() << "it should have ended";
    } catch (const Killed&) {
    } catch (const sdk::Error& error) {
      EXPECT_EQ(error.code(), "connection_lost");
    }
    then(move);
    move.Finish();
    look(move);
  }
}

TEST(Migration, BringsFoldersMessagesFlagsDatesAndOrder) {
  SimMove move;
  Fill(move.source);
  const MoveCounts counts = move.Pass();
  ExpectEqual(move);
  EXPECT_EQ(counts.copied, 14u);
  EXPECT_EQ(counts.folders, 2u);
  EXPECT_TRUE(move.target.folders.at(kArchive).subscribed);
  EXPECT_EQ(move.Pass().changes(), 0u);
}

TEST(Migration, KilledAtEachInstantBringsEachMessageExactlyOnce) {
  AtEveryInstant(Fault::kKilled, [](SimMove& move) { Fill(move.source); }, [](SimMove&) {}, ExpectEqual);
}

TEST(Migration, WithItsConnectionLostAtEachInstantBringsEachMessageExactlyOnce) {
  AtEveryInstant(Fault::kConnectionLost, [](SimMove& move) { Fill(move.source); }, [](SimMove&) {}, ExpectEqual);
}

TEST(Migration, KilledAtEachInstantOfATargetThatSaysNoUidsBringsEachMessageExactlyOnce) {
  const auto prepare = [](SimMove& move) {
    Fill(move.source);
    move.target.says_uids = false;
  };
  AtEveryInstant(Fault::kKilled, prepare, [](SimMove&) {}, ExpectEqual);
}

// As Dovecot does before 1970 and after 2038.
TEST(Migration, KilledAtEachInstantOfATargetThatKeepsNoDatesBringsEachMessageExactlyOnce) {
  const auto prepare = [](SimMove& move) {
    Fill(move.source);
    move.target.keeps_dates = false;
  };
  const auto look = [](const SimMove& move) {
    for (const auto& [path, folder] : move.source.folders) {
      std::vector<std::string> here, there;
      for (const auto& [uid, message] : folder.messages) here.push_back(message.content);
      for (const auto& [uid, message] : move.target.folders.at(path).messages) there.push_back(message.content);
      EXPECT_EQ(there, here) << path.back();
    }
  };
  AtEveryInstant(Fault::kKilled, prepare, [](SimMove&) {}, look);
}

TEST(Migration, KilledAtEachInstantWithServersThatSayNoNextUidBringsEachMessageExactlyOnce) {
  const auto prepare = [](SimMove& move) {
    Fill(move.source);
    move.source.says_next = move.target.says_next = false;
    move.options.list_window = 1000;
  };
  AtEveryInstant(Fault::kKilled, prepare, [](SimMove&) {}, ExpectEqual);
}

TEST(Migration, KilledAtEachInstantAndItsLedgerLostAdoptsWhatIsThere) {
  AtEveryInstant(Fault::kKilled, [](SimMove& move) { Fill(move.source); }, [](SimMove& move) { move.LoseLedger(); }, ExpectSameMessages);
}

TEST(Migration, KilledAtEachInstantAndTheTargetRenumberedMatchesAnew) {
  const auto renumber = [](SimMove& move) {
    for (auto& [path, folder] : move.target.folders) folder.Renumber();
  };
  AtEveryInstant(Fault::kKilled, [](SimMove& move) { Fill(move.source); }, renumber, ExpectEqual);
}

TEST(Migration, KilledAtEachInstantAndTheSourceRenumberedMatchesAnew) {
  const auto renumber = [](SimMove& move) {
    for (auto& [path, folder] : move.source.folders) folder.Renumber();
  };
  AtEveryInstant(Fault::kKilled, [](SimMove& move) { Fill(move.source); }, renumber, ExpectSameMessages);
}

// A second pass over a box that was copied: one vanished, two came, flags changed, somebody else's mail is in the target.
void Changed(SimMove& move) {
  Fill(move.source);
  move.Pass();
  SimFolder& inbox = move.source.folders[kInbox];
  inbox.messages.erase(4);
  inbox.messages.at(5).flags = {"\\Flagged", "\\Seen"};
  inbox.Add(MessageOf(50));
  move.source.folders[kArchive].Add(MessageOf(51));
}

TEST(Migration, FollowsNewChangedAndVanishedMessages) {
  SimMove move;
  Changed(move);
  const MoveCounts counts = move.Pass();
  ExpectEqual(move);
  EXPECT_EQ(counts.copied, 2u);
  EXPECT_EQ(counts.flags, 1u);
  EXPECT_EQ(counts.removed, 1u);
}

TEST(Migration, ADeltaKilledAtEachInstantEndsAsTheSourceIs) {
  AtEveryInstant(Fault::kKilled, Changed, [](SimMove&) {}, ExpectEqual);
}

TEST(Migration, KilledTwiceAnywhereBringsEachMessageExactlyOnce) {
  const uint32_t seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const uint64_t instants = InstantsOf(Changed);
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    // What vanished stays in a target that was renumbered meanwhile: then nothing vanishes.
    const bool renumbers = i % 2 == 0;
    SimMove move;
    renumbers ? Fill(move.source) : Changed(move);
    for (int end = 0; end < 3; ++end) {
      Fate fate{.at = 1 + random() % (instants + 5), .fault = random() % 2 == 0 ? Fault::kKilled : Fault::kConnectionLost};
      SCOPED_TRACE("ended at " + std::to_string(fate.at));
      try {
        move.Pass(fate);
      } catch (const Killed&) {
      } catch (const sdk::Error&) {
      }
      if (random() % 4 == 0) move.source.folders[kInbox].Add(MessageOf(60 + end));
      if (renumbers && random() % 3 == 0) move.target.folders[kInbox].Renumber();
    }
    move.Finish();
    ExpectSameMessages(move);
  }
}

TEST(Migration, LeavesOthersMailInTheTargetAlone) {
  SimMove move;
  Fill(move.source);
  move.target.folders[kInbox].Add({"Subject: foreign\r\n\r\n", {1, 0}, {}});
  move.Pass();
  move.target.folders[kInbox].Add({"Subject: delivered meanwhile\r\n\r\n", {2, 0}, {}});
  move.source.folders[kInbox].Add(MessageOf(70));
  move.Pass();
  EXPECT_THAT(move.target.folders[kInbox].messages, SizeIs(move.source.folders[kInbox].messages.size() + 2));
  move.source.folders[kInbox].messages.clear();
  move.options.deletions = Deletions::kFollowAll;
  move.Pass();
  EXPECT_THAT(move.target.folders[kInbox].messages, SizeIs(2));
}

TEST(Migration, AdoptsWhatAnotherToolCopiedBefore) {
  SimMove move;
  Fill(move.source);
  move.target = move.source;
  for (auto& [path, folder] : move.target.folders) folder.Renumber();
  move.target.folders[kInbox].messages.begin()->second.flags = {"\\Deleted"};
  const MoveCounts counts = move.Pass();
  EXPECT_EQ(counts.copied, 0u);
  EXPECT_EQ(counts.adopted, 14u);
  ExpectEqual(move);
}

TEST(Migration, NeverRemovesWhatItDidNotAppendItself) {
  SimMove move;
  Fill(move.source);
  move.target = move.source;
  move.Pass();
  move.source.folders[kInbox].messages.erase(1);
  const MoveCounts counts = move.Pass();
  EXPECT_EQ(counts.removed, 0u);
  EXPECT_EQ(counts.kept, 1u);
  EXPECT_THAT(move.target.folders[kInbox].messages, SizeIs(9));
}

TEST(Migration, DeletesNothingAfterTheSourceWasRenumbered) {
  SimMove move;
  Fill(move.source);
  move.Pass();
  move.source.folders[kInbox].messages.erase(5);
  move.source.folders[kInbox].Renumber();
  move.Finish();
  EXPECT_THAT(move.target.folders[kInbox].messages, SizeIs(move.source.folders[kInbox].messages.size() + 1));
}

TEST(Migration, DoesNotFollowASourceThatDies) {
  SimMove move;
  for (int i = 0; i < 120; ++i) move.source.folders[kInbox].Add(MessageOf(i));
  move.options.list_window = 50;
  move.Pass();
  move.source.folders[kInbox].messages.clear();
  const MoveCounts counts = move.Pass();
  EXPECT_TRUE(move.many_vanished);
  EXPECT_EQ(counts.removed, 0u);
  EXPECT_THAT(move.target.folders[kInbox].messages, SizeIs(120));
  move.options.deletions = Deletions::kFollowAll;
  EXPECT_EQ(move.Pass().removed, 120u);
  EXPECT_THAT(move.target.folders[kInbox].messages, IsEmpty());
}

TEST(Migration, CopiesAgainWhatTheTargetLost) {
  SimMove move;
  Fill(move.source);
  move.Pass();
  move.target.folders[kInbox].messages.erase(3);
  move.target.folders[kArchive].messages.erase(1);
  EXPECT_EQ(move.Pass().copied, 2u);
  ExpectSameMessages(move);
}

TEST(Migration, FollowsAFolderThatWasRenamedInTheSource) {
  SimMove move;
  Fill(move.source);
  move.Pass();
  auto node = move.source.folders.extract(kArchive);
  node.key() = {"Archives", "2022"};
  move.source.folders.insert(std::move(node));
  move.Finish();
  ExpectEqual(move);
  EXPECT_THAT(move.target.folders.at(kArchive).messages, IsEmpty());
}

TEST(Migration, NamesMessagesThatTheTargetDoesNotTakeAndCopiesTheOthers) {
  SimMove move;
  Fill(move.source);
  SimFolder& inbox = move.source.folders[kInbox];
  inbox.Add({std::string(5000, 'x'), {5, 0}, {}});
  inbox.Add({"MALFORMED", {6, 0}, {}});
  inbox.Add(MessageOf(90));
  move.target.largest = 4000;
  const MoveCounts counts = move.Pass();
  EXPECT_EQ(counts.failed, 2u);
  EXPECT_EQ(counts.copied, 15u);
  const auto ledger = Ledger::OpenToRead(move.LedgerFile(), move.options.spool);
  EXPECT_THAT(ledger->Notes(MessageState::kFailed), ElementsAre(std::pair<const std::string, uint64_t>("malformed", 1), std::pair<const std::string, uint64_t>("too_large", 1)));
}

TEST(Migration, StopsAtAFullQuotaAndGoesOnOnceThereIsRoom) {
  SimMove move;
  Fill(move.source);
  move.target.quota = 300;
  try {
    move.Pass();
    FAIL() << "over quota";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "over_quota");
  }
  move.target.quota = 1 << 20;
  move.Finish();
  ExpectEqual(move);
}

TEST(Migration, TakesAwayAnAppendThatCameLate) {
  // The connection is lost in the middle of a window; what was on its way arrives after the next pass has looked.
  const uint64_t instants = InstantsOf([](SimMove& move) { Fill(move.source); });
  int tried = 0;
  for (uint64_t at = 1; at <= instants; ++at) {
    SimMove move;
    Fill(move.source);
    Fate fate{.at = at, .fault = Fault::kConnectionLost};
    EXPECT_THROW(move.Pass(fate), sdk::Error);
    std::optional<MessageRow> row;
    FolderPath path;
    if (const auto ledger = Ledger::OpenToRead(move.LedgerFile(), move.options.spool)) {
      for (const FolderRow& folder : ledger->Folders()) {
        const auto intended = ledger->Intended(folder.id, 0, 10);
        if (intended.empty()) continue;
        row = intended.back();
        path = folder.source;
      }
    }
    if (!row) continue;
    const SimMessage twin = move.source.folders[path].messages.at(row->uid);
    const auto there = InOrder(move.target, path);
    if (std::count(there.begin(), there.end(), Content(twin.content, twin.date.unix_seconds, twin.flags)) != 0) continue;
    ++tried;
    EXPECT_TRUE(move.Pass().again);
    move.target.folders[path].Add(twin);
    move.Finish();
    EXPECT_EQ(Sorted(InOrder(move.target, path)), Sorted(InOrder(move.source, path))) << "instant " << at;
  }
  EXPECT_GT(tried, 5);
}

TEST(Migration, MovesWhatMovesMeanwhileWithoutLosingIt) {
  const uint64_t instants = InstantsOf([](SimMove& move) { Fill(move.source); });
  for (uint64_t at = 1; at <= instants && !HasFailure(); ++at) {
    SCOPED_TRACE("moved at instant " + std::to_string(at));
    SimMove move;
    Fill(move.source);
    Fate fate;
    fate.meanwhile = [&](uint64_t now) {
      if (now != at) return;
      // One goes to the other folder, one vanishes, one comes, one is read.
      SimFolder& inbox = move.source.folders[kInbox];
      move.source.folders[kArchive].Add(inbox.messages.at(6));
      inbox.messages.erase(6);
      inbox.messages.erase(1);
      inbox.messages.at(3).flags = {"\\Seen"};
      inbox.Add(MessageOf(99));
    };
    move.Pass(fate);
    move.Finish();
    ExpectSameMessages(move);
  }
}

}  // namespace
}  // namespace reprise::mail
