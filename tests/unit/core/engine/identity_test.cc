// Which certificate a host may speak with, what a renewal, an expulsion and a new join make of it, and two agents with
// one identity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/engine/hospital.h"

namespace reprise::engine {
namespace {

using namespace testing;  // NOLINT: the hospital's words
using reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

class IdentityTest : public ::testing::Test {
 protected:
  IdentityTest() { EXPECT_OK(JoinBy("first")); }

  ShownCertificate By(const std::string& name) { return {crypto::Sha256(name), valid_from[name]}; }
  ShownCertificate Make(const std::string& name) {
    if (valid_from[name] == 0) valid_from[name] = kNoon + static_cast<UnixMs>(valid_from.size()) * 1000;
    return By(name);
  }
  // A join with a new code, by which the certificate `name` is made.
  absl::Status JoinBy(const std::string& name) {
    Command::Issue issue;
    auto& token = issue.tokens.emplace_back();
    token.set_host("ws-001");
    token.set_secret_sha256(crypto::Sha256("code for " + name));
    token.set_expires_ms(hospital.now + kHour);
    issue.join_until = hospital.now + kHour;
    EXPECT_OK(hospital.Do("alice", issue));
    return JoinWithCode(name);
  }
  absl::Status JoinWithCode(const std::string& name) {
    EnrolRequested request{99, "ws-001", crypto::Sha256("code for " + name), Make(name).sha256, "10.0.0.1"};
    request.certificate_valid_from = By(name).valid_from;
    hospital.Decide(request);
    return hospital.last_reply.status;
  }
  absl::Status Renew(const std::string& shown, const std::string& made) {
    EnrolRequested request{99, "ws-001", "", Make(made).sha256, "10.0.0.1"};
    request.certificate_valid_from = By(made).valid_from;
    request.shown = By(shown);
    hospital.Decide(request);
    return hospital.last_reply.status;
  }
  // Empty: it was let in. Else what it was told.
  std::string Connect(const std::string& certificate, const std::string& address = "10.0.0.1", uint64_t serial = 1) {
    hospital.dropped.clear();
    agent::v1::Hello hello;
    hello.set_keyring_version(1);
    hello.set_host_statement_serial(serial);
    const uint64_t session = ++session_;
    hospital.Decide(SessionOpened{"ws-001", session, hello, address, By(certificate)});
    hospital.sessions["ws-001"] = session;
    for (const DropSession& drop : hospital.dropped) {
      if (drop.session == session) return drop.reason;
    }
    EXPECT_EQ(Record().session(), session);
    return "";
  }
  absl::Status Expel(const std::string& reason = "its disk was copied") {
    operators::v1::ExpelHostRequest request;
    request.set_host("ws-001");
    request.set_reason(reason);
    return hospital.Do("alice", request);
  }
  const journal::v1::HostRecord& Record() const { return *hospital.engine.FindHost("ws-001"); }
  const journal::v1::SessionOpened& LastOpened() const {
    for (auto event = hospital.journal.rbegin();; ++event) {
      if (event->has_session_opened()) return event->session_opened();
    }
  }

  std::map<std::string, UnixMs> valid_from;
  Hospital hospital{2};
  uint64_t session_ = 1000;
};

TEST_F(IdentityTest, LetsInOnlyTheCertificateThatIsOnRecord) {
  EXPECT_EQ(Connect("first"), "");
  EXPECT_THAT(Connect("never made"), AllOf(HasSubstr("replaced"), HasSubstr("reprise host token ws-001")));
  EXPECT_TRUE(Record().session() != 0) << "the rightful session is not disturbed";
  EXPECT_THAT(Renew("never made", "another"), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("replaced")));
}

TEST_F(IdentityTest, KeepsTheCertificateBeforeUntilASessionIsOpenedWithTheNewOne) {
  EXPECT_EQ(Connect("first"), "");
  ASSERT_OK(Renew("first", "second"));
  EXPECT_TRUE(hospital.journal.back().has_host_renewed()) << "on record before it leaves";
  EXPECT_EQ(Connect("first"), "") << "its agent may have died before it had stored the new one";
  EXPECT_EQ(Connect("second"), "");
  EXPECT_THAT(Connect("first"), HasSubstr("replaced"));
  EXPECT_THAT(Renew("first", "third"), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("new join code")));
}

TEST_F(IdentityTest, LosesNoAgentThatRenewedAgainWithoutANewSession) {
  EXPECT_EQ(Connect("first"), "");
  ASSERT_OK(Renew("first", "second"));  // Stored, and the stream went on.
  ASSERT_OK(Renew("first", "third"));   // Lost on its way.
  EXPECT_EQ(Connect("second"), "") << "what it has stored";
  EXPECT_THAT(Connect("first"), HasSubstr("replaced"));
  EXPECT_EQ(Connect("third"), "");
  EXPECT_THAT(Connect("second"), HasSubstr("replaced"));
}

TEST_F(IdentityTest, BelievesACertificateThatARestoredCoordinatorHasForgotten) {
  EXPECT_EQ(Connect("first"), "");
  hospital.now += kHour;
  Make("made after the copy was taken");
  EXPECT_EQ(Connect("made after the copy was taken"), "");
  EXPECT_THAT(Connect("first"), HasSubstr("replaced"));
}

TEST_F(IdentityTest, BelievesNoOldCertificateThoughTheClockWasSetBack) {
  valid_from["ahead"] = kNoon + 100 * kHour;
  EXPECT_EQ(Connect("first"), "");
  ASSERT_OK(Renew("first", "ahead"));
  EXPECT_EQ(Connect("ahead"), "");
  valid_from["in time"] = kNoon + kHour;
  ASSERT_OK(JoinBy("in time"));
  EXPECT_THAT(Connect("ahead"), HasSubstr("replaced"));
  EXPECT_EQ(Connect("in time"), "");
}

TEST_F(IdentityTest, CutsOffAHostThatIsExpelledUntilItJoinsWithANewCode) {
  EXPECT_EQ(Connect("first"), "");
  const uint64_t session = Record().session();
  hospital.dropped.clear();
  EXPECT_THAT(Expel(""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("why")));
  ASSERT_OK(Expel());
  ASSERT_EQ(hospital.dropped.size(), 1u);
  EXPECT_EQ(hospital.dropped[0].session, session);
  EXPECT_FALSE(Record().enrolled());
  EXPECT_EQ(Record().expelled_by(), "alice");
  EXPECT_EQ(Record().expelled_reason(), "its disk was copied");
  EXPECT_EQ(Record().zone(), v1::ZONE_QUARANTINE);
  EXPECT_THAT(Connect("first"), HasSubstr("expelled"));
  EXPECT_THAT(Renew("first", "second"), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("expelled")));
  EXPECT_THAT(Connect("first"), ::testing::Not(HasSubstr("copied"))) << "why is not told to whoever stole it";
  EXPECT_THAT(Expel(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("already, by alice")));

  ASSERT_OK(JoinBy("second"));
  EXPECT_EQ(Record().expelled_ms(), 0);
  EXPECT_EQ(Connect("second"), "");
  EXPECT_THAT(Connect("first"), HasSubstr("replaced"));
}

TEST_F(IdentityTest, BelievesNoClaimAnyMoreOfAHostThatIsExpelled) {
  hospital.Admit("ws-001", 2);
  EXPECT_EQ(Connect("first"), "");
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  hospital.Launch(draft);
  const agent::v1::Task task = hospital.Take("ws-001");
  agent::v1::AgentMessage message;
  auto& finished = *message.mutable_finished();
  *finished.mutable_key() = task.key();
  finished.set_outcome(v1::OUTCOME_CHANGED);
  auto& claim = *finished.add_claims();
  claim.set_name("mock.protected");
  claim.set_state(v1::CLAIM_STATE_HOLDS);
  hospital.Say("ws-001", message);
  ASSERT_EQ(Record().claims_size(), 1);
  ASSERT_OK(Expel());
  EXPECT_EQ(Record().claims_size(), 0) << "whoever held the key may have made it";
}

TEST_F(IdentityTest, TakesBackTheJoinCodesOfAHostThatIsExpelled) {
  Command::Issue issue;
  auto& token = issue.tokens.emplace_back();
  token.set_host("ws-001");
  token.set_secret_sha256(crypto::Sha256("code for before"));
  token.set_expires_ms(hospital.now + kHour);
  issue.join_until = hospital.now + kHour;
  ASSERT_OK(hospital.Do("alice", issue));
  ASSERT_OK(Expel());
  EXPECT_FALSE(JoinWithCode("before").ok());
}

TEST_F(IdentityTest, HoldsNobodyAsAdmittedByWhatWasSignedBeforeTheKey) {
  hospital.Admit("ws-001", 2, [](auto& statement) {
    statement.asset_class = v1::ASSET_CLASS_MEDICAL_DEVICE;
    statement.hold = "image for the police";
  });
  EXPECT_EQ(Connect("first"), "");
  const uint64_t session = Record().session();
  ASSERT_OK(JoinBy("second"));
  EXPECT_EQ(hospital.dropped.back().session, session) << "by the key before";
  EXPECT_EQ(hospital.last_reply.subject, "2") << "the agent is told which statements count no more";
  EXPECT_FALSE(Record().has_statement());
  EXPECT_EQ(Record().zone(), v1::ZONE_QUARANTINE);
  EXPECT_EQ(Record().trust(), v1::TRUST_STATE_UNKNOWN);
  EXPECT_EQ(Record().asset_class(), v1::ASSET_CLASS_MEDICAL_DEVICE) << "what protects it stays";
  EXPECT_EQ(Record().hold(), "image for the police");

  hospital.sent.clear();
  EXPECT_EQ(Connect("second", "10.0.0.1", 0), "");
  for (const auto& message : hospital.SentTo("ws-001")) EXPECT_FALSE(message.has_host_statement());
  operators::v1::HostStatementsRequest old;
  *old.add_statements() = agents::testing::Admission(hospital.people, "ws-001", [](auto& s) { s.serial = 2; });
  EXPECT_THAT(hospital.Do("alice", old), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("serial 2")));
  hospital.Admit("ws-001", 3);
  EXPECT_EQ(Record().zone(), v1::ZONE_DIRTY);
  EXPECT_TRUE(hospital.SentTo("ws-001").back().has_host_statement());
}

TEST_F(IdentityTest, SendsNoChangeToAHostThatJoinedAgainUntilItIsAdmittedAnew) {
  PlanDraft draft(hospital.people);
  draft.AddStep(draft.AddStage("protect", {2}), "install");
  ASSERT_OK(Expel());
  hospital.Launch(draft);
  hospital.Pass(kHour);
  EXPECT_EQ(hospital.Target(1).state(), v1::TARGET_STATE_DEFERRED);
  EXPECT_EQ(hospital.Target(1).code(), "unreachable");
  ASSERT_OK(JoinBy("second"));
  EXPECT_EQ(Connect("second"), "");
  EXPECT_TRUE(hospital.tasks["ws-001"].empty());
  hospital.Admit("ws-001", 2);
  EXPECT_FALSE(hospital.tasks["ws-001"].empty());
}

TEST_F(IdentityTest, NoticesTwoAgentsThatThrowEachOtherOut) {
  EXPECT_EQ(Connect("first", "10.0.0.1"), "");
  EXPECT_EQ(Connect("first", "10.0.0.9"), "");
  EXPECT_EQ(LastOpened().replaced_address(), "10.0.0.1");
  EXPECT_FALSE(LastOpened().contested()) << "it may have moved";
  EXPECT_EQ(Connect("first", "10.0.0.1"), "");
  EXPECT_FALSE(LastOpened().contested());
  EXPECT_EQ(Connect("first", "10.0.0.9"), "");
  EXPECT_TRUE(LastOpened().contested());
  EXPECT_EQ(Record().contested_between(), "10.0.0.1 and 10.0.0.9");
  EXPECT_EQ(Record().contested_ms(), hospital.now);
  ASSERT_OK(JoinBy("second"));
  EXPECT_EQ(Record().contested_ms(), 0) << "that was another key";
}

TEST_F(IdentityTest, CallsNobodyContestedWhoComesBackFromTheSamePlaceOrSlowly) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Connect("first"), "");
  EXPECT_EQ(Record().replaced(), 0u);
  for (int i = 0; i < 10; ++i) {
    hospital.now += 400'000;
    EXPECT_EQ(Connect("first", i % 2 == 0 ? "10.0.0.9" : "10.0.0.1"), "");
    EXPECT_FALSE(LastOpened().contested());
  }
}

TEST_F(IdentityTest, IsTheSameAfterARestart) {
  EXPECT_EQ(Connect("first"), "");
  ASSERT_OK(Renew("first", "second"));
  hospital.Crash();
  EXPECT_EQ(Connect("second"), "");
  ASSERT_OK(Expel());
  hospital.Crash();
  EXPECT_THAT(Connect("second"), HasSubstr("expelled"));
}

}  // namespace
}  // namespace reprise::engine
