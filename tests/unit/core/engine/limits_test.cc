// What people hand in beyond any measure is refused with a word, before it is in the journal: what an agent cannot be sent
// cuts it off, and what overflows a clock is never over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/engine/gate_record.h"
#include "core/model/size_limits.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using ::reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() {
    auto& stage = draft.AddStage("protect", {2});
    draft.AddStep(stage, "install");
    gate = &draft.AddGate(stage, "go", -1, 2);
  }
  plan::v1::SignedStatement Decide(const std::string& signer, const std::string& reason, bool waive = false) {
    auto statement = *model::GateStatement::Read(
        draft.Decision("go", signer, 1, waive, waive ? hospital.now + 60'000 : 0).statement());
    statement.reason = reason;
    return hospital.people.Signed(statement.Write(), {signer});
  }

  Hospital hospital{2};
  PlanDraft draft{hospital.people};
  plan::v1::Gate* gate = nullptr;
};

TEST_F(LimitsTest, TakesNoReasonThatAnAgentCouldNotBeSent) {
  hospital.Launch(draft);
  const size_t before = hospital.journal.size();
  const std::string novel(9 << 20, 'x');
  const auto refused = StatusIs(kInvalid, AllOf(HasSubstr("9437184 bytes"), HasSubstr("at most 2048")));
  EXPECT_THAT(hospital.Do("alice", Command::RaiseStop{novel}), refused);
  EXPECT_THAT(hospital.Do("alice", Command::LiftStop{novel}), refused);
  EXPECT_THAT(hospital.Do("alice", Command::Pause{1, novel}), refused);
  EXPECT_THAT(hospital.Do("alice", Command::Abort{1, novel}), refused);
  operators::v1::ExpelHostRequest expel;
  expel.set_host("ws-001");
  expel.set_reason(novel);
  EXPECT_THAT(hospital.Do("alice", expel), refused);
  operators::v1::HostStatementsRequest hold;
  *hold.add_statements() =
      agents::testing::Admission(hospital.people, "ws-001", [](model::HostStatement& statement) {
        statement.serial = 2;
        statement.hold = std::string(20'000, 'x');
      });
  EXPECT_THAT(hospital.Do("alice", hold), StatusIs(kInvalid, HasSubstr("20000 bytes")));
  EXPECT_THAT(hospital.SignGate(Decide("alice", std::string(20'000, 'x'))), StatusIs(kInvalid, HasSubstr("20000 bytes")));
  EXPECT_EQ(hospital.journal.size(), before);
  EXPECT_OK(hospital.Do("alice", Command::RaiseStop{std::string(2048, 'x')}));
}

TEST_F(LimitsTest, RefusesAPlanOfWhichAHostCouldNotBeSentItsPart) {
  draft.header.mutable_stages(0)->mutable_steps(0)->set_params_json(std::string(9 << 20, 'x'));
  EXPECT_THAT(hospital.Submit(draft), StatusIs(kInvalid, AllOf(HasSubstr("step install of stage protect"),
                                                               HasSubstr("9437184 bytes"), HasSubstr("artifact add"))));
  draft.header.mutable_stages(0)->mutable_steps(0)->set_params_json("{}");
  draft.placements["ws-002"][0].add_overrides()->set_params_json(std::string(5 << 20, 'x'));
  EXPECT_THAT(hospital.Submit(draft), StatusIs(kInvalid, HasSubstr("host ws-002")));
  draft.placements["ws-002"][0].mutable_overrides(0)->set_params_json(std::string(3 << 20, 'x'));
  EXPECT_OK(hospital.Submit(draft));
}

TEST_F(LimitsTest, RefusesAPlanWhoseTimesOrWordsNobodyCouldKeepTo) {
  using Stage = plan::v1::Stage;
  const std::pair<const char*, std::function<void(Stage&)>> flaws[] = {
      {"step install of stage protect: its timeout is 9223372036854775807 ms",
       [](Stage& s) { s.mutable_steps(0)->set_timeout_ms(kNever); }},
      {"its backoff", [](Stage& s) { s.mutable_steps(0)->set_backoff_ms(kNever); }},
      {"its longest backoff", [](Stage& s) { s.mutable_steps(0)->set_backoff_max_ms(kNever); }},
      {"stage protect: the silence", [](Stage& s) { s.set_unreachable_after_ms(kNever); }},
      {"the greatest age of the proof", [](Stage& s) { s.add_requirements()->set_within_ms(kNever); }},
      {"the greatest age of the proof", [](Stage& s) { s.add_requirements()->set_within_ms(-1); }},
      {"on failure, 99", [](Stage& s) { s.mutable_steps(0)->set_on_failure(static_cast<v1::OnFailure>(99)); }},
      {"out of reach, 99", [](Stage& s) { s.set_unreachable(static_cast<v1::Unreachable>(99)); }},
  };
  for (const auto& [complaint, make] : flaws) {
    PlanDraft flawed = draft;
    make(*flawed.header.mutable_stages(0));
    EXPECT_THAT(hospital.Submit(flawed), StatusIs(kInvalid, HasSubstr(complaint)));
  }
  PlanDraft immortal = draft;
  immortal.header.set_expires_ms(kNoon + 8000 * 365 * 24 * kHour);
  EXPECT_THAT(hospital.Submit(immortal), StatusIs(kInvalid, HasSubstr("at most 366d later")));
  EXPECT_OK(hospital.Submit(draft));
}

TEST_F(LimitsTest, RefusesToRepeatAtOnceOrNever) {
  PlanDraft reads(hospital.people, v1::EFFECT_READ);
  auto& stage = reads.AddStage("look", {2});
  reads.AddStep(stage, "look");
  for (const int64_t repeat : {int64_t{1}, kNever}) {
    stage.set_repeat_ms(repeat);
    EXPECT_THAT(hospital.Submit(reads), StatusIs(kInvalid, HasSubstr("stage look: the time until it is repeated")));
  }
}

TEST_F(LimitsTest, DeclaresNoHostByWordsItDoesNotKnowOrAtAnyLength) {
  const std::pair<const char*, std::function<void(journal::v1::InventoryHost&)>> flaws[] = {
      {"zone 99", [](auto& host) { host.set_zone(static_cast<v1::Zone>(99)); }},
      {"class 77", [](auto& host) { host.set_asset_class(static_cast<v1::AssetClass>(77)); }},
      {"trust 55", [](auto& host) { host.set_trust(static_cast<v1::TrustState>(55)); }},
      {"an address of 1048576 bytes", [](auto& host) { host.set_address(std::string(1 << 20, 'x')); }},
      {"a label of 0 and 100000 bytes", [](auto& host) { host.add_labels()->set_value(std::string(100'000, 'x')); }},
  };
  for (const auto& [complaint, make] : flaws) {
    operators::v1::ImportInventoryRequest request;
    *request.add_hosts() = Hospital::Declared("ws-001");
    make(*request.mutable_hosts(0));
    EXPECT_THAT(hospital.Do("alice", request), StatusIs(kInvalid, HasSubstr(complaint)));
  }
}

TEST_F(LimitsTest, CountsEachPersonsDecisionOnceAndKeepsItOnce) {
  hospital.Launch(draft);
  ASSERT_OK(hospital.SignGate(Decide("alice", "looks well")));
  ASSERT_OK(hospital.SignGate(Decide("alice", "looks well"))) << "the very same again";
  EXPECT_THAT(hospital.SignGate(Decide("alice", "looks very well")),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("alice has decided gate go")));
  EXPECT_EQ(hospital.RunOf().gates(0).decisions_size(), 1);
  ASSERT_OK(hospital.SignGate(Decide("carol", "I agree")));
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_PASSED);
  hospital.Crash();
}

TEST_F(LimitsTest, TakesAWaiverAgainWhenTheFirstRanOut) {
  hospital.Launch(draft);
  hospital.Disconnect("ws-001");
  hospital.Disconnect("ws-002");
  ASSERT_OK(hospital.SignGate(Decide("alice", "the board decided so", true)));
  hospital.Pass(61'000);
  hospital.Connect("ws-001");
  ASSERT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_READY);
  ASSERT_OK(hospital.SignGate(Decide("alice", "the board decided so again", true)));
  EXPECT_EQ(hospital.RunOf().gates(0).state(), v1::GATE_STATE_WAIVED);
  EXPECT_EQ(hospital.RunOf().gates(0).decisions_size(), 2);
}

TEST_F(LimitsTest, KeepsNoMoreDecisionsOfARunThanItsAgentsDo) {
  plan::v1::SignedStatement decision;
  decision.set_statement(std::string(model::kGateBytesMax - 100, 'x'));
  journal::v1::RunRecord run;
  EXPECT_OK(CheckRoom(run, decision));
  auto& decisions = *run.add_gates()->mutable_decisions();
  while (CheckRoom(run, decision).ok()) *decisions.Add() = decision;
  EXPECT_EQ(static_cast<size_t>(decisions.size()), model::kGatesOfPlanBytesMax / decision.ByteSizeLong());
  EXPECT_THAT(CheckRoom(run, decision), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("make a new plan")));

  decision.set_statement("short");
  decisions.Clear();
  while (CheckRoom(run, decision).ok()) *decisions.Add() = decision;
  EXPECT_EQ(static_cast<size_t>(decisions.size()), model::kGatesOfPlanMax);

  decision.set_statement(std::string(model::kGateBytesMax, 'x'));
  EXPECT_THAT(CheckRoom({}, decision), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("shorter comment")));
}

}  // namespace
}  // namespace reprise::engine
