#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryTest : public ::testing::Test {
 protected:
  Hospital hospital{2};
};

TEST_F(RegistryTest, CountsWhatAnInventoryChangesAndKeepsWhatItDoesNotName) {
  operators::v1::ImportInventoryRequest inventory;
  *inventory.add_hosts() = Hospital::Declared("ws-001");
  *inventory.add_hosts() = Hospital::Declared("ws-009");
  ASSERT_OK(hospital.Do("alice", inventory));
  EXPECT_EQ(hospital.last_reply.subject, "1 0 1 1");
  EXPECT_FALSE(hospital.engine.FindHost("ws-002")->in_inventory());
  *inventory.add_hosts() = Hospital::Declared("ws-009");
  EXPECT_THAT(hospital.Do("alice", inventory), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
}

TEST_F(RegistryTest, EnrolsOnceWithAJoinCodeOfThatHostInItsTime) {
  operators::v1::ImportInventoryRequest inventory;
  *inventory.add_hosts() = Hospital::Declared("ws-009");
  ASSERT_OK(hospital.Do("alice", inventory));
  ASSERT_OK(hospital.Enrol("ws-009"));
  EXPECT_EQ(hospital.engine.FindHost("ws-009")->zone(), v1::ZONE_QUARANTINE);
  EXPECT_FALSE(hospital.Join("ws-009").ok()) << "it is spent";
  EXPECT_EQ(hospital.join_until, hospital.now + kHour);

  Command::Issue issue;
  auto& token = issue.tokens.emplace_back();
  token.set_host("ws-009");
  token.set_secret_sha256(crypto::Sha256("secret of ws-001"));
  token.set_expires_ms(hospital.now + 1000);
  issue.join_until = hospital.now + kHour;
  ASSERT_OK(hospital.Do("alice", issue));
  EXPECT_FALSE(hospital.Join("ws-001").ok()) << "it is another host's";
  issue.tokens[0].set_secret_sha256(crypto::Sha256("secret of ws-009"));
  ASSERT_OK(hospital.Do("alice", issue));
  hospital.now += 1000;
  EXPECT_FALSE(hospital.Join("ws-009").ok()) << "it has expired";
}

TEST_F(RegistryTest, IssuesCodesForKnownHostsOnlyAndNamesTheNearest) {
  Command::Issue issue;
  auto& token = issue.tokens.emplace_back();
  token.set_host("ws-0001");
  token.set_secret_sha256(crypto::Sha256("x"));
  token.set_expires_ms(hospital.now + 1000);
  EXPECT_THAT(hospital.Do("alice", issue), StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean ws-001")));
}

TEST_F(RegistryTest, DropsAnAgentThatIsNotEnrolled) {
  hospital.Decide(SessionOpened{"ws-077", 99, {}, "10.0.0.9"});
  ASSERT_EQ(hospital.dropped.size(), 1u);
  EXPECT_THAT(hospital.dropped[0].reason, HasSubstr("not enrolled"));
}

TEST_F(RegistryTest, TakesHostStatementsAllOrNothing) {
  operators::v1::HostStatementsRequest request;
  *request.add_statements() = agents::testing::Admission(hospital.people, "ws-001", [](auto& s) { s.serial = 2; });
  *request.add_statements() = agents::testing::Admission(hospital.people, "ws-002", [](auto& s) { s.serial = 1; });
  EXPECT_THAT(hospital.Do("alice", request), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("serial 1")));
  EXPECT_EQ(hospital.engine.FindHost("ws-001")->statement_serial(), 1u);
}

TEST_F(RegistryTest, TakesNoPlanInAnothersNameNorOneThatDoesNotHoldTogether) {
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  operators::v1::SubmitPlanRequest request;
  *request.mutable_bundle() = draft.Bundle();
  EXPECT_THAT(hospital.Do("alice", request), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("bob")));
  request.mutable_bundle()->mutable_leaves()->SwapElements(0, 1);
  EXPECT_THAT(hospital.Do("bob", request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("root")));
  request.mutable_bundle()->mutable_leaves()->SwapElements(0, 1);
  ASSERT_OK(hospital.Do("bob", request));
  ASSERT_OK(hospital.Do("bob", request)) << "the same again is no fault";
  EXPECT_EQ(hospital.last_reply.subject, draft.header.plan_id());
}

TEST_F(RegistryTest, StartsNothingThatIsNotSignedAndNothingTwice) {
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  ASSERT_OK(hospital.Submit(draft));
  EXPECT_THAT(hospital.Start(draft), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("signature")));
  ASSERT_OK(hospital.Sign(draft, "alice"));
  ASSERT_OK(hospital.Sign(draft, "alice"));
  EXPECT_EQ(hospital.engine.state().plans(0).signatures_size(), 1);
  ASSERT_OK(hospital.Start(draft));
  EXPECT_EQ(hospital.last_reply.subject, "1");
  EXPECT_THAT(hospital.Start(draft), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("run 1")));
}

TEST_F(RegistryTest, StartsWhatOnlyReadsUnsignedOnlyWithANearEnd) {
  PlanDraft draft(hospital.people, v1::EFFECT_READ, "look-00000000");
  draft.AddStep(draft.AddStage("look", {2}), "look");
  draft.header.set_expires_ms(hospital.now + 25 * kHour);
  ASSERT_OK(hospital.Submit(draft)) << "it may be signed yet";
  EXPECT_THAT(hospital.Start(draft), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("24 hours ahead")));
  ASSERT_OK(hospital.Sign(draft, "alice"));
  ASSERT_OK(hospital.Start(draft));
}

TEST_F(RegistryTest, WantsThePluginsOfAPlanInTheStore) {
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  draft.header.mutable_plugins(0)->set_sha256(crypto::Sha256("another library"));
  EXPECT_THAT(hospital.Submit(draft), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("plugin add")));
}

TEST_F(RegistryTest, KeepsTheSameBytesUnderEachOfTheirNamesAndTheNewestOfEachNameLast) {
  const auto add = [&](const std::string& name, const std::string& content) {
    plan::v1::BlobInfo blob;
    blob.set_kind("artifact");
    blob.set_name(name);
    blob.set_sha256(crypto::Sha256(content));
    blob.set_size(content.size());
    ASSERT_OK(hospital.Do("alice", blob));
  };
  const auto kept = [&] {
    std::vector<std::string> names;
    for (const auto& blob : hospital.engine.state().blobs()) {
      if (blob.kind() == "artifact") names.push_back(absl::StrCat(blob.name(), blob.sha256() == crypto::Sha256("old") ? ":old" : ":new"));
    }
    return names;
  };
  add("lis-2022-08-12.dump", "old");
  add("lis-2022-08-17.dump", "old");
  EXPECT_THAT(kept(), ElementsAre("lis-2022-08-12.dump:old", "lis-2022-08-17.dump:old"));
  add("rules.yar", "new");
  add("rules.yar", "old");
  add("rules.yar", "new");
  add("rules.yar", "new");
  EXPECT_THAT(kept(), ElementsAre("lis-2022-08-12.dump:old", "lis-2022-08-17.dump:old", "rules.yar:old", "rules.yar:new"))
      << "what is added again is the newest of its name";
}

struct Flaw {
  const char* name;
  std::function<void(PlanDraft&)> make;
  const char* complaint;
};

TEST_F(RegistryTest, ReadsAPlanStrictly) {
  const Flaw flaws[] = {
      {"circle", [](PlanDraft& d) { d.header.mutable_stages(0)->add_after(1); }, "waits for itself"},
      {"wave count", [](PlanDraft& d) { d.header.mutable_stages(0)->mutable_waves(0)->set_host_count(9); }, "9 hosts"},
      {"plugin", [](PlanDraft& d) { d.header.mutable_stages(0)->mutable_steps(0)->set_plugin(4); }, "plugin 4"},
      {"token", [](PlanDraft& d) { d.header.mutable_stages(0)->mutable_steps(0)->add_tokens()->set_token("x"); },
       "capacity"},
      {"no step", [](PlanDraft& d) { d.header.mutable_stages(0)->clear_steps(); }, "no step"},
      {"gates",
       [](PlanDraft& d) {
         d.AddGate(*d.header.mutable_stages(0), "same");
         d.AddGate(*d.header.mutable_stages(1), "same");
       },
       "two gates"},
      {"placed nowhere", [](PlanDraft& d) { d.placements["ws-001"][0].set_wave(3); }, "wave 3"},
      {"placed twice", [](PlanDraft& d) { d.placements["ws-001"][1].set_stage(0); }, "twice"},
  };
  for (const Flaw& flaw : flaws) {
    PlanDraft draft(hospital.people);
    draft.AddStep(draft.AddStage("protect", {2}), "install");
    draft.AddStep(draft.AddStage("scan", {2}, {0}), "scan");
    flaw.make(draft);
    EXPECT_THAT(PlanIndex::Read(draft.Bundle()).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(flaw.complaint)))
        << flaw.name;
  }
}

}  // namespace
}  // namespace reprise::engine
