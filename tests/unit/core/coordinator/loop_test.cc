#include "core/coordinator/loop.h"

#include <future>

#include "tests/support/status_matchers.h"
#include "tests/unit/core/coordinator/memory_journal.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::coordinator {
namespace {

using reprise::testing::StatusIs;
using testing::MemoryJournal;
using ::testing::_;
using ::testing::HasSubstr;

class Sink final : public EffectSink {
 public:
  void Send(engine::SendToAgent&&) override { ++sent; }
  void Drop(const engine::DropSession&) override { ++dropped; }
  void SetJoinWindow(UnixMs until) override { join_until = until; }
  void Flush() override {}
  void Settle() override {}
  void DropAll(const std::string&) override { ++dropped_all; }

  std::atomic<int> sent{0}, dropped{0}, dropped_all{0};
  std::atomic<UnixMs> join_until{0};
};

class LoopTest : public ::testing::Test {
 protected:
  void Begin(uint64_t snapshot_every = 50'000) {
    auto opened = Loop::Open(std::make_unique<MemoryJournal>(disk), clock, {snapshot_every, "test"});
    ASSERT_OK(opened);
    loop = *std::move(opened);
    loop->Start(sink, {});
  }
  using CommandRequest = decltype(engine::Command::request);
  // Waits for the answer.
  absl::Status Call(CommandRequest request, const std::string& person = "alice") {
    std::promise<absl::Status> answered;
    engine::Command command;
    command.operator_name = person;
    command.request = std::move(request);
    loop->Call(std::move(command),
               [&](const engine::Engine&, const engine::Reply& reply) { answered.set_value(reply.status); });
    return answered.get_future().get();
  }
  template <class Value>
  Value Ask(std::function<Value(const engine::Engine&)> what) {
    std::promise<Value> answered;
    loop->Query([&](const engine::Engine& engine) { answered.set_value(what(engine)); });
    return answered.get_future().get();
  }
  operators::v1::ExtendKeyringRequest Keyring() const {
    operators::v1::ExtendKeyringRequest request;
    *request.mutable_statement() = people.chain().front();
    return request;
  }
  static operators::v1::ImportInventoryRequest Inventory(int hosts) {
    operators::v1::ImportInventoryRequest request;
    for (int i = 1; i <= hosts; ++i) {
      *request.add_hosts() = engine::testing::Hospital::Declared(engine::testing::HostName(static_cast<size_t>(i)));
    }
    return request;
  }

  SystemClock clock;
  MemoryJournal::Disk disk;
  Sink sink;
  engine::testing::People people;
  std::unique_ptr<Loop> loop;  // Ends before what it uses.
};

TEST_F(LoopTest, AnswersOnlyWhenTheEventsAreDurable) {
  std::atomic<bool> answered = false;
  int before = 0;
  disk.before_append = [&] {
    ++before;
    EXPECT_FALSE(answered) << "the answer came before its events were written";
  };
  Begin();
  engine::Command command;
  command.operator_name = "alice";
  command.request = Keyring();
  std::promise<void> done;
  loop->Call(std::move(command), [&](const engine::Engine&, const engine::Reply& reply) {
    EXPECT_OK(reply.status);
    answered = true;
    done.set_value();
  });
  done.get_future().get();
  EXPECT_GT(before, 0);
}

TEST_F(LoopTest, AnswersUnavailableWhileTheJournalRefusesAndForgetsWhatWasNotWritten) {
  Begin();
  ASSERT_OK(Call(Keyring()));
  disk.full = true;
  EXPECT_THAT(Call(Inventory(3)), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk is full")));
  EXPECT_EQ(sink.dropped_all, 1) << "agents come back and are told anew";
  EXPECT_FALSE(loop->Writing());
  EXPECT_EQ(Ask<int>([](const auto& engine) { return engine.state().hosts_size(); }), 0) << "what is not durable is not";
  EXPECT_THAT(Call(Inventory(3)), StatusIs(absl::StatusCode::kUnavailable, _));
  disk.full = false;
  // It tries again by itself, once a second, and with every command.
  absl::Status again;
  for (int i = 0; i < 100 && !(again = Call(Inventory(3))).ok(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_OK(again);
  EXPECT_TRUE(loop->Writing());
  EXPECT_EQ(Ask<int>([](const auto& engine) { return engine.state().hosts_size(); }), 3);
}

TEST_F(LoopTest, SharesACommitAmongWhatCameWhileItWrote) {
  Begin();
  ASSERT_OK(Call(Keyring()));
  std::promise<void> writing, go_on;
  std::atomic<bool> first = true;
  disk.before_append = [&] {
    if (!first.exchange(false)) return;
    writing.set_value();
    go_on.get_future().get();
  };
  std::atomic<int> answers = 0;
  std::promise<void> all;
  const auto send = [&] {
    engine::Command command;
    command.operator_name = "alice";
    command.request = Inventory(2);
    loop->Call(std::move(command), [&](const engine::Engine&, const engine::Reply&) {
      if (++answers == 51) all.set_value();
    });
  };
  send();
  writing.get_future().get();
  const int before = disk.appends;
  for (int i = 0; i < 50; ++i) send();
  go_on.set_value();
  all.get_future().get();
  EXPECT_EQ(disk.appends - before, 2) << "the one under way, and one for all fifty";
}

TEST_F(LoopTest, ComesBackWithTheSameStateFromASnapshotAndWhatFollowedIt) {
  Begin(/*snapshot_every=*/2);
  ASSERT_OK(Call(Keyring()));
  ASSERT_OK(Call(Inventory(5)));
  ASSERT_OK(Call(Inventory(7)));
  loop.reset();
  ASSERT_TRUE(disk.snapshot);
  EXPECT_EQ(disk.snapshot->sequence, disk.records.size()) << "saved at the end too";
  const auto snapshot = *disk.snapshot;
  for (const bool from_snapshot : {true, false}) {
    disk.snapshot.reset();
    if (from_snapshot) disk.snapshot = snapshot;
    Begin();
    // It has started once more: the same event, whatever it was read from.
    EXPECT_EQ(Ask<int>([](const auto& engine) { return engine.state().hosts_size(); }), 7);
    const std::string again = Ask<std::string>([](const auto& engine) { return engine.Snapshot(); });
    engine::Engine folded;
    for (const auto& record : disk.records) {
      journal::v1::Event event;
      ASSERT_TRUE(event.ParseFromString(record.payload));
      ASSERT_OK(folded.Apply(event));
    }
    EXPECT_EQ(again, folded.Snapshot());
    loop.reset();
  }
}

TEST_F(LoopTest, ReplaysEverythingWhenTheSnapshotMakesNoSense) {
  Begin();
  ASSERT_OK(Call(Keyring()));
  ASSERT_OK(Call(Inventory(4)));
  loop.reset();
  disk.snapshot->state = "no state";
  Begin();
  EXPECT_EQ(Ask<int>([](const auto& engine) { return engine.state().hosts_size(); }), 4);
}

TEST_F(LoopTest, AnswersWhoStillWaitsWhenItStops) {
  Begin();
  ASSERT_OK(Call(Keyring()));
  std::promise<absl::Status> answered;
  engine::Command command;
  command.operator_name = "alice";
  command.request = Inventory(1);
  loop->Call(std::move(command),
             [&](const engine::Engine&, const engine::Reply& reply) { answered.set_value(reply.status); });
  loop->Stop();
  EXPECT_OK(answered.get_future().get()) << "what came before the end is still decided";
}

TEST_F(LoopTest, ReadsOnFromAStreamOnlyWhenItsBatchWasDecided) {
  Begin();
  std::promise<void> taken;
  loop->Post({engine::SessionClosed{"nobody", 1, ""}}, [&] { taken.set_value(); });
  EXPECT_EQ(taken.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

}  // namespace
}  // namespace reprise::coordinator
