#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/report/views.h"
#include "tests/unit/core/engine/hospital.h"

namespace reprise::report {
namespace {

using namespace engine::testing;  // NOLINT: the hospital's words
using ::testing::HasSubstr;

class CoverageTest : public ::testing::Test {
 protected:
  operators::v1::CoverageView View(const std::string& selector = "", int64_t max_age_ms = 0) const {
    operators::v1::CoverageRequest request;
    request.set_claim("mock.state");
    request.set_selector(selector);
    request.set_max_age_ms(max_age_ms);
    auto view = ViewOfCoverage(hospital.engine, request, hospital.now);
    EXPECT_OK(view.status());
    return view.ok() ? *view : operators::v1::CoverageView();
  }
  static std::string CodeOf(const operators::v1::CoverageView& view, const std::string& host) {
    for (const auto& gap : view.gaps()) {
      if (gap.host() == host) return gap.code();
    }
    return "covered";
  }
  // The agent ends the task with a claim.
  void FinishWith(const std::string& host, v1::ClaimState state) {
    const auto task = hospital.Take(host);
    hospital.Accept(task, host);
    agent::v1::AgentMessage message;
    auto& finished = *message.mutable_finished();
    *finished.mutable_key() = task.key();
    finished.set_outcome(v1::OUTCOME_CHANGED);
    auto& claim = *finished.add_claims();
    claim.set_name("mock.state");
    claim.set_state(state);
    hospital.Say(host, message);
  }
  void Declare(const std::function<void(operators::v1::ImportInventoryRequest&)>& change) {
    operators::v1::ImportInventoryRequest inventory;
    for (size_t i = 1; i <= 4; ++i) *inventory.add_hosts() = Hospital::Declared(HostName(i));
    change(inventory);
    ASSERT_OK(hospital.Do("alice", inventory));
  }
  void Protect(const std::vector<size_t>& waves) {
    draft.AddStep(draft.AddStage("protect", waves), "install");
    hospital.Launch(draft);
  }

  Hospital hospital{4};
  PlanDraft draft{hospital.people};
};

TEST_F(CoverageTest, CallsAHostThatNobodyEverLookedAtUnknownAndNotPlanned) {
  const auto view = View();
  EXPECT_EQ(view.inventory(), 4u);
  EXPECT_EQ(view.holds(), 0u);
  EXPECT_EQ(view.unknown(), 4u);
  EXPECT_EQ(CodeOf(view, "ws-001"), "not_planned");
}

TEST_F(CoverageTest, CountsOnlyWhatAProbeSaidHolds) {
  Protect({4});
  FinishWith("ws-001", v1::CLAIM_STATE_HOLDS);
  FinishWith("ws-002", v1::CLAIM_STATE_FAILS);
  FinishWith("ws-003", v1::CLAIM_STATE_UNKNOWN);
  const auto view = View();
  EXPECT_EQ(view.holds(), 1u);
  EXPECT_EQ(view.fails(), 1u);
  EXPECT_EQ(view.unknown(), 2u);
  EXPECT_EQ(CodeOf(view, "ws-001"), "covered");
  EXPECT_EQ(CodeOf(view, "ws-002"), "claim_fails");
  EXPECT_EQ(CodeOf(view, "ws-003"), "claim_unknown");
  EXPECT_EQ(CodeOf(view, "ws-004"), "in_progress");
}

TEST_F(CoverageTest, TakesNoPluginsWordForAnothers) {
  Protect({1});
  const auto task = hospital.Take("ws-001");
  hospital.Accept(task, "ws-001");
  agent::v1::AgentMessage message;
  *message.mutable_finished()->mutable_key() = task.key();
  message.mutable_finished()->set_outcome(v1::OUTCOME_CHANGED);
  message.mutable_finished()->add_claims()->set_name("edr.protected");
  message.mutable_finished()->mutable_claims(0)->set_state(v1::CLAIM_STATE_HOLDS);
  hospital.Say("ws-001", message);
  operators::v1::CoverageRequest request;
  request.set_claim("edr.protected");
  EXPECT_EQ(ViewOfCoverage(hospital.engine, request, hospital.now)->holds(), 0u);
}

TEST_F(CoverageTest, TakesNoSuccessForAProof) {
  Protect({1});
  hospital.Run("ws-001");
  EXPECT_EQ(CodeOf(View(), "ws-001"), "not_claimed");
}

TEST_F(CoverageTest, SaysWhichStepFailedAndWhy) {
  Protect({1});
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "disk_full");
  const auto view = View();
  EXPECT_EQ(CodeOf(view, "ws-001"), "failed");
  EXPECT_THAT(view.gaps(0).reason(), HasSubstr("step install of run 1 failed: disk_full"));
}

TEST_F(CoverageTest, SaysOfASkippedStageWhatFailedBeforeIt) {
  draft.AddStep(draft.AddStage("protect", {1}), "install");
  draft.AddStep(draft.AddStage("prove", {1}, {0}), "heartbeat");
  hospital.Launch(draft);
  hospital.Run("ws-001", v1::OUTCOME_FAILED, "dpkg_broken");
  const auto view = View();
  EXPECT_EQ(CodeOf(view, "ws-001"), "failed");
  EXPECT_THAT(view.gaps(0).reason(), HasSubstr("step install of run 1 failed: dpkg_broken"));
}

TEST_F(CoverageTest, SaysThatTheAgentRefused) {
  Protect({1});
  hospital.Run("ws-001", v1::OUTCOME_REFUSED, "hold");
  EXPECT_EQ(CodeOf(View(), "ws-001"), "refused");
}

TEST_F(CoverageTest, NamesAHostThatTheRunDidNotReach) {
  hospital.Disconnect("ws-002");
  hospital.Pass(10 * 60'000);
  Protect({2});
  hospital.Run("ws-001");
  hospital.Pass(10 * 60'000);
  const auto view = View();
  EXPECT_EQ(CodeOf(view, "ws-002"), "unreachable");
}

TEST_F(CoverageTest, CountsAProofThatIsTooOldAsUnknown) {
  Protect({1});
  FinishWith("ws-001", v1::CLAIM_STATE_HOLDS);
  hospital.now += kHour;
  EXPECT_EQ(View("", 2 * kHour).holds(), 1u);
  const auto view = View("", kHour / 2);
  EXPECT_EQ(view.holds(), 0u);
  EXPECT_EQ(view.unknown(), 4u);
  EXPECT_EQ(CodeOf(view, "ws-001"), "too_old");
}

TEST_F(CoverageTest, NamesAnEvidenceHoldBeforeAnythingElse) {
  hospital.Admit("ws-001", 2, [](model::HostStatement& statement) { statement.hold = "seized by the police"; });
  const auto view = View();
  EXPECT_EQ(CodeOf(view, "ws-001"), "hold");
  EXPECT_THAT(view.gaps(0).reason(), HasSubstr("seized by the police"));
}

TEST_F(CoverageTest, CountsHostsThatHaveNoAgentAndNamesThem) {
  Declare([](auto& inventory) {
    auto host = Hospital::Declared("ws-900");
    *inventory.add_hosts() = host;
    host.set_name("ws-901");
    host.set_agent_expected(false);
    *inventory.add_hosts() = host;
  });
  const auto view = View();
  EXPECT_EQ(view.inventory(), 6u) << "the denominator is the inventory, not the agents";
  EXPECT_EQ(CodeOf(view, "ws-900"), "not_enrolled");
  EXPECT_EQ(CodeOf(view, "ws-901"), "no_agent");
}

TEST_F(CoverageTest, LeavesOutWhatTheInventoryNoLongerNames) {
  operators::v1::ImportInventoryRequest inventory;
  *inventory.add_hosts() = Hospital::Declared("ws-001");
  ASSERT_OK(hospital.Do("alice", inventory));
  EXPECT_EQ(View().inventory(), 1u);
}

TEST_F(CoverageTest, CountsEveryClassOfWhichAHostMadeTheClaimAndNoOther) {
  const auto add = [](auto& inventory, const char* name, v1::AssetClass asset_class) {
    auto host = Hospital::Declared(name);
    host.set_asset_class(asset_class);
    *inventory.add_hosts() = host;
  };
  Declare([&add](auto& inventory) {
    add(inventory, "pc-900", v1::ASSET_CLASS_LOANED_PC);
    add(inventory, "srv-900", v1::ASSET_CLASS_SERVER);
  });
  Protect({1});
  FinishWith("ws-001", v1::CLAIM_STATE_HOLDS);
  hospital.Admit("ws-001", 2, [](model::HostStatement& statement) { statement.asset_class = v1::ASSET_CLASS_LOANED_PC; });
  const auto view = View();
  EXPECT_EQ(view.selector(), "class in (loaned_pc)");
  EXPECT_EQ(view.holds(), 1u);
  EXPECT_EQ(view.inventory(), 2u);
  EXPECT_EQ(CodeOf(view, "pc-900"), "not_enrolled") << "of the class, and the probe never came to it";
}

TEST_F(CoverageTest, CountsTheWholeInventoryForAClaimThatNobodyEverMade) {
  Declare([](auto& inventory) {
    auto host = Hospital::Declared("srv-900");
    host.set_asset_class(v1::ASSET_CLASS_SERVER);
    *inventory.add_hosts() = host;
  });
  const auto view = View();
  EXPECT_EQ(view.selector(), "all");
  EXPECT_EQ(view.inventory(), 5u);
}

TEST_F(CoverageTest, KeepsTheProtectionsOwnDenominator) {
  operators::v1::CoverageRequest request;
  request.set_claim(kCoverageClaim);
  EXPECT_EQ(ViewOfCoverage(hospital.engine, request, hospital.now)->selector(), kCoverageSelector);
}

TEST_F(CoverageTest, RefusesASelectorThatDoesNotParse) {
  operators::v1::CoverageRequest request;
  request.set_selector("class ==");
  EXPECT_EQ(ViewOfCoverage(hospital.engine, request, hospital.now).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace reprise::report
