#include "core/coordinator/session_table.h"

#include "tests/support/status_matchers.h"

namespace reprise::coordinator {
namespace {

struct Recorder final : Outbox {
  void Deliver(std::vector<agent::v1::CoordinatorMessage> messages) override { batches.push_back(messages.size()); }
  void End(const std::string& reason) override { ended = reason; }
  std::vector<size_t> batches;
  std::string ended;
};

engine::SendToAgent To(uint64_t session) {
  engine::SendToAgent effect;
  effect.session = session;
  effect.message.mutable_read_facts();
  return effect;
}

TEST(SessionTable, DeliversAllThatOneBatchDecidedForAnAgentAtOnce) {
  SessionTable table(5, [](UnixMs) {});
  const auto first = std::make_shared<Recorder>(), second = std::make_shared<Recorder>();
  const uint64_t a = table.Open("ws-001", first), b = table.Open("ws-002", second);
  EXPECT_EQ(a, 5);
  table.Send(To(a));
  table.Send(To(b));
  table.Send(To(a));
  EXPECT_TRUE(first->batches.empty()) << "not before it is durable";
  table.Flush();
  table.Settle();
  EXPECT_EQ(first->batches, std::vector<size_t>{2});
  EXPECT_EQ(second->batches, std::vector<size_t>{1});
}

TEST(SessionTable, SendsWhatWasDecidedBeforeItEndsASession) {
  SessionTable table(1, [](UnixMs) {});
  const auto outbox = std::make_shared<Recorder>();
  const uint64_t session = table.Open("ws-001", outbox);
  table.Send(To(session));
  table.Drop({"ws-001", session, "because"});
  table.Settle();
  EXPECT_EQ(outbox->batches.size(), 1);
  EXPECT_EQ(outbox->ended, "because");
  EXPECT_EQ(table.Dropped(), 1);
}

TEST(SessionTable, KnowsTheNewestSessionOfAHostWhenAnOlderOneCloses) {
  SessionTable table(1, [](UnixMs) {});
  const auto older = std::make_shared<Recorder>(), newer = std::make_shared<Recorder>();
  const uint64_t first = table.Open("ws-001", older), second = table.Open("ws-001", newer);
  table.Close(first);
  EXPECT_EQ(table.SessionOf("ws-001"), second);
  EXPECT_TRUE(table.SendBeside("ws-001", {}));
  table.Close(second);
  EXPECT_EQ(table.SessionOf("ws-001"), 0);
  EXPECT_FALSE(table.SendBeside("ws-001", {}));
  EXPECT_EQ(table.Count(), 0);
}

TEST(SessionTable, PassesOverAStreamThatIsGone) {
  SessionTable table(1, [](UnixMs) {});
  uint64_t session = 0;
  {
    const auto outbox = std::make_shared<Recorder>();
    session = table.Open("ws-001", outbox);
  }
  table.Send(To(session));
  table.Flush();
  table.Drop({"ws-001", session, ""});
  table.DropAll("");
  EXPECT_FALSE(table.SendBeside("ws-001", {}));
}

}  // namespace
}  // namespace reprise::coordinator
