// The loop around the real engine, with a spool that may refuse and a coordinator that may be silent.
#include "agents/daemon/agent_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/unit/agents/daemon/temporary_folder.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::daemon {
namespace {

using namespace agents::testing;  // NOLINT: the plan's words
using testing::Eventually;

class FakeLink final : public CoordinatorLink {
 public:
  explicit FakeLink(Inbox& inbox) : inbox_(inbox) {}
  void Open(uint64_t session, const Identity&) override {
    std::lock_guard lock(mutex);
    opened.push_back(session);
    if (refuse) inbox_.Post(SessionEnded{session, absl::UnavailableError("connection refused")});
  }
  void Send(uint64_t session, std::vector<agent::v1::AgentMessage> messages) override {
    std::lock_guard lock(mutex);
    for (auto& message : messages) sent.emplace_back(session, std::move(message));
  }
  void Close() override {}
  absl::Status Fetch(const std::string&, uint64_t,
                     const std::function<absl::Status(std::string_view, uint64_t)>&) override {
    return absl::UnavailableError("");
  }
  absl::StatusOr<std::string> Renew(const std::string&) override { return absl::UnavailableError(""); }

  size_t Opened() {
    std::lock_guard lock(mutex);
    return opened.size();
  }
  uint64_t Session() {
    std::lock_guard lock(mutex);
    return opened.back();
  }
  // How many messages of this kind were sent.
  size_t Sent(agent::v1::AgentMessage::KindCase kind) {
    std::lock_guard lock(mutex);
    return static_cast<size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const auto& m) { return m.second.kind_case() == kind; }));
  }

  std::mutex mutex;
  std::vector<uint64_t> opened;
  std::vector<std::pair<uint64_t, agent::v1::AgentMessage>> sent;
  bool refuse = false;

 private:
  Inbox& inbox_;
};

class FakeSpool final : public spool::Spool {
 public:
  struct State {
    std::atomic<bool> full = false;
    std::atomic<size_t> records = 0;
    std::atomic<size_t> tries = 0;
  };
  explicit FakeSpool(State& state) : state_(state) {}
  absl::Status Append(const std::vector<agent::v1::SpoolRecord>& records) override {
    state_.tries += 1;
    if (state_.full) return absl::ResourceExhaustedError("spool.db: disk is full");
    state_.records += records.size();
    return absl::OkStatus();
  }
  absl::Status Replace(const std::vector<agent::v1::SpoolRecord>& records) override {
    state_.records = records.size();
    return absl::OkStatus();
  }
  size_t Count() const override { return state_.records; }

 private:
  State& state_;
};

class AgentLoopTest : public ::testing::Test {
 protected:
  void Run() {
    AgentLoop::Hands hands;
    hands.start_verb = [this](const agents::VerbRequest& request) {
      std::lock_guard lock(mutex);
      started.push_back(request);
    };
    hands.kill_verb = [this](uint64_t id) {
      std::lock_guard lock(mutex);
      killed.push_back(id);
    };
    hands.fetch = [this](agents::FetchFiles request) {
      inbox.Post(agents::Input(agents::FilesReady{request.id, true, "", ""}));
    };
    hands.drop_fetch = [](uint64_t) {};
    hands.gather_facts = [this] { inbox.Post(agents::Input(agents::FactsGathered{"{}"})); };
    hands.identity = [] { return Identity{}; };
    hands.online = [this] { online += 1; };
    auto records = EnrolledRecords(people);
    *records.emplace_back().mutable_host_statement() = Admission(people);
    loop = std::make_unique<AgentLoop>(*agents::AgentEngine::Restore(records), std::make_unique<FakeSpool>(spool),
                                       inbox, link, clock, random, std::move(hands));
    thread = std::thread([this] { loop->Run("test"); });
    ASSERT_TRUE(Eventually([this] { return link.Opened() > 0; }));
  }
  ~AgentLoopTest() override {
    inbox.Stop();
    if (thread.joinable()) thread.join();
  }
  void Say(std::vector<agent::v1::CoordinatorMessage> messages) {
    inbox.Post(BatchArrived{link.Session(), std::move(messages), [this] { taken += 1; }});
  }
  static agent::v1::CoordinatorMessage Welcome() {
    agent::v1::CoordinatorMessage message;
    message.mutable_welcome()->set_heartbeat_ms(60'000);
    return message;
  }
  static agent::v1::CoordinatorMessage TaskMessage(const agent::v1::Task& task) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_task() = task;
    return message;
  }
  size_t Started() {
    std::lock_guard lock(mutex);
    return started.size();
  }

  People people;
  PlanMaker plan{people};
  ManualClock clock{kNoon + kHour};
  SystemRandom random;
  Inbox inbox;
  FakeLink link{inbox};
  FakeSpool::State spool;
  std::mutex mutex;
  std::vector<agents::VerbRequest> started;
  std::vector<uint64_t> killed;
  std::atomic<int> taken = 0, online = 0;
  std::unique_ptr<AgentLoop> loop;
  std::thread thread;
};

TEST_F(AgentLoopTest, SaysHelloAcceptsAndStartsTheFirstVerb) {
  Run();
  ASSERT_TRUE(Eventually([this] { return link.Sent(agent::v1::AgentMessage::kHello) == 1; }));
  Say({Welcome(), TaskMessage(plan.Task())});
  ASSERT_TRUE(Eventually([this] { return Started() == 1; }));
  EXPECT_EQ(link.Sent(agent::v1::AgentMessage::kAccepted), 1u);
  EXPECT_GE(spool.records.load(), 2u);
  EXPECT_TRUE(Eventually([this] { return taken == 1 && online >= 1; }));
}

TEST_F(AgentLoopTest, BeginsAndReportsNothingWhileTheSpoolRefuses) {
  Run();
  Say({Welcome()});
  ASSERT_TRUE(Eventually([this] { return taken == 1; }));
  spool.full = true;
  Say({TaskMessage(plan.Task())});
  const size_t tries = spool.tries;
  ASSERT_TRUE(Eventually([&] { return spool.tries >= tries + 2; }));
  EXPECT_EQ(link.Sent(agent::v1::AgentMessage::kAccepted), 0u);
  EXPECT_EQ(Started(), 0u);
  EXPECT_EQ(taken, 1) << "and nothing more is read meanwhile";
  spool.full = false;
  ASSERT_TRUE(Eventually([this] { return Started() == 1; }));
  EXPECT_EQ(link.Sent(agent::v1::AgentMessage::kAccepted), 1u);
}

TEST_F(AgentLoopTest, KillsAtOnceOnAStopEvenWhileTheSpoolRefuses) {
  Run();
  Say({Welcome(), TaskMessage(plan.Task())});
  ASSERT_TRUE(Eventually([this] { return Started() == 1; }));
  spool.full = true;
  agent::v1::CoordinatorMessage stop;
  stop.mutable_stop()->set_serial(1);
  stop.mutable_stop()->set_active(true);
  Say({stop});
  ASSERT_TRUE(Eventually([this] {
    std::lock_guard lock(mutex);
    return killed.size() == 1;
  }));
  EXPECT_EQ(killed[0], started[0].id);
  agents::VerbResult result;
  result.id = started[0].id;
  result.end = agents::VerbEnd::kCancelled;
  inbox.Post(agents::Input(agents::VerbEnded{result}));
  const size_t tries = spool.tries;
  ASSERT_TRUE(Eventually([&] { return spool.tries > tries; }));
  EXPECT_EQ(link.Sent(agent::v1::AgentMessage::kStopConfirmed), 0u) << "a confirmation must outlive a crash";
  spool.full = false;
  EXPECT_TRUE(Eventually([this] { return link.Sent(agent::v1::AgentMessage::kStopConfirmed) == 1; }));
}

TEST_F(AgentLoopTest, ConnectsAgainAfterACutWithoutHammering) {
  link.refuse = true;
  const auto begun = std::chrono::steady_clock::now();
  Run();
  ASSERT_TRUE(Eventually([this] { return link.Opened() >= 4; }));
  // At least half of 0.2, 0.4 and 0.8 s.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(700));
  std::lock_guard lock(link.mutex);
  EXPECT_EQ(link.opened, (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST_F(AgentLoopTest, SendsNothingOfAnOldSessionIntoANewOne) {
  Run();
  Say({Welcome()});
  ASSERT_TRUE(Eventually([this] { return taken == 1; }));
  inbox.Post(SessionEnded{1, absl::UnavailableError("cut")});
  ASSERT_TRUE(Eventually([this] { return link.Opened() == 2; }));
  ASSERT_TRUE(Eventually([this] { return link.Sent(agent::v1::AgentMessage::kHello) == 2; }));
  inbox.Post(BatchArrived{1, {TaskMessage(plan.Task())}, [this] { taken += 1; }});
  ASSERT_TRUE(Eventually([this] { return taken == 2; }));
  EXPECT_EQ(link.Sent(agent::v1::AgentMessage::kAccepted), 0u);
}

TEST(Backoff, DoublesUpToItsLimitAndIsSpreadByChance) {
  class FixedRandom final : public Random {
   public:
    explicit FixedRandom(char byte) : byte_(byte) {}
    std::string Bytes(size_t count) override { return std::string(count, byte_); }
    char byte_;
  };
  FixedRandom low('\0'), high('\xff');
  Backoff least(std::chrono::milliseconds(200), std::chrono::milliseconds(1000), low);
  Backoff most(std::chrono::milliseconds(200), std::chrono::milliseconds(1000), high);
  for (const int expected : {200, 400, 800, 1000, 1000}) {
    EXPECT_EQ(least.Next().count(), expected / 2);
    EXPECT_EQ(most.Next().count(), expected);
  }
  most.Reset();
  EXPECT_EQ(most.Next().count(), 200);
}

}  // namespace
}  // namespace reprise::daemon
