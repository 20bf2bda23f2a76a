// Over real connections: a host's identity that was replaced, expelled, or is used too often.
#include "core/coordinator/doorkeeper.h"
#include "tests/unit/core/coordinator/site.h"

namespace reprise::coordinator::testing {
namespace {

using agent::v1::CoordinatorMessage;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Stub = ops::OperatorService::Stub;

std::string RenewBy(Site& site, const Site::Identity& identity) {
  grpc::ClientContext context;
  agent::v1::RenewRequest request;
  request.set_csr_pem(*trust::NewRequest(identity.key, "x"));
  agent::v1::RenewResponse response;
  site.last = agent::v1::AgentService::NewStub(site.ChannelOf(identity))->Renew(&context, request, &response);
  return response.certificate_pem();
}

grpc::Status FetchBy(const Site& site, const Site::Identity& identity) {
  const auto stub = agent::v1::AgentService::NewStub(site.ChannelOf(identity));
  grpc::ClientContext context;
  const auto reader = stub->Fetch(&context, {});
  agent::v1::FetchChunk chunk;
  while (reader->Read(&chunk)) {
  }
  return reader->Finish();
}

// Opens a session and ends it. OK: it was let in. As an agent does, it comes again while the coordinator is starting.
grpc::Status Knock(const Site& site, const Site::Identity& identity) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    Agent agent(site, identity);
    if (agent.Next(CoordinatorMessage::kWelcome)) return grpc::Status::OK;
    const grpc::Status status = agent.Finish();
    if (status.error_code() != grpc::UNAVAILABLE || std::chrono::steady_clock::now() > end) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(Coordinator, RefusesAnIdentityThatWasReplacedAtEveryDoor) {
  Site site;
  site.Declare("ws-001");
  const auto stolen = site.Enrol("ws-001");
  EXPECT_TRUE(Knock(site, stolen).ok());
  Site::Identity renewed{stolen.key, RenewBy(site, stolen)};
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  EXPECT_TRUE(Knock(site, stolen).ok()) << "nobody knows yet whether the new one arrived";
  EXPECT_TRUE(Knock(site, renewed).ok());
  const auto refused = Knock(site, stolen);
  EXPECT_EQ(refused.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), AllOf(HasSubstr("replaced"), HasSubstr("reprise host token ws-001")));
  RenewBy(site, stolen);
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_THAT(FetchBy(site, stolen).error_message(), HasSubstr("replaced"));
  const auto metrics = web::testing::Ask(site.coordinator->web_port(), "GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("reprise_identities_refused_total 3"));

  site.Stop();
  site.Start();
  const auto again = Knock(site, stolen);
  EXPECT_EQ(again.error_code(), grpc::PERMISSION_DENIED) << "also after a restart: " << again.error_message();
  EXPECT_TRUE(Knock(site, renewed).ok());
}

TEST(Coordinator, CutsOffAHostThatAnAdminExpelsAndTakesItBackIntoQuarantine) {
  Site site;
  site.Declare("ws-001");
  const auto stolen = site.Enrol("ws-001");
  site.Admit("ws-001");
  Agent agent(site, stolen);
  ASSERT_TRUE(agent.Next(CoordinatorMessage::kWelcome));
  ops::ExpelHostRequest request;
  request.set_host("ws-001");
  request.set_reason("its disk was copied");
  site.Call("bob", &Stub::ExpelHost, request);
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED) << "takes an admin";
  const ops::HostView expelled = site.Call("alice", &Stub::ExpelHost, request);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  EXPECT_EQ(expelled.expelled_by(), "alice");
  EXPECT_FALSE(expelled.connected());
  EXPECT_FALSE(agent.Next(CoordinatorMessage::kTask)) << "its session is ended";
  EXPECT_THAT(Knock(site, stolen).error_message(), HasSubstr("expelled"));
  RenewBy(site, stolen);
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED);

  EXPECT_TRUE(Knock(site, site.Enrol("ws-001")).ok());
  ops::HostRequest ask;
  ask.set_host("ws-001");
  const ops::HostView back = site.Call("bob", &Stub::GetHost, ask);
  EXPECT_TRUE(back.enrolled());
  EXPECT_FALSE(back.admitted());
  EXPECT_EQ(back.zone(), model::v1::ZONE_QUARANTINE);
  EXPECT_EQ(back.statement_serial(), 1) << "the next one counts on";
  EXPECT_EQ(Knock(site, stolen).error_code(), grpc::PERMISSION_DENIED);
}

TEST(Coordinator, LetsAHostOpenOnlySoManySessionsSoThatItCannotFillTheJournal) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  int let_in = 0;
  grpc::Status refused;
  for (int i = 0; i < 40; ++i) {
    const grpc::Status status = Knock(site, host);
    let_in += status.ok();
    if (!status.ok()) refused = status;
  }
  EXPECT_GE(let_in, 10);
  EXPECT_LE(let_in, 20) << "ten, and one more for each six seconds that this took";
  EXPECT_EQ(refused.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("come again in"));
}

TEST(Coordinator, LetsAHostRenewOnlySoOftenAndSaysWhenToComeAgain) {
  Site site;
  site.Declare("ws-001");
  site.Declare("ws-002");
  Site::Identity host = site.Enrol("ws-001");
  for (int i = 0; i < Doorkeeper::kRenewalBurst; ++i) {
    host.certificate = RenewBy(site, host);
    ASSERT_TRUE(site.last.ok()) << i + 1 << ": " << site.last.error_message();
  }
  EXPECT_EQ(RenewBy(site, host), "");
  EXPECT_EQ(site.last.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_THAT(site.last.error_message(), AllOf(HasSubstr("too many renewals of ws-001"), HasSubstr("come again in")));
  EXPECT_TRUE(Knock(site, host).ok()) << "what it has stays good";
  EXPECT_NE(RenewBy(site, site.Enrol("ws-002")), "") << "and nobody else pays for it";
}

}  // namespace
}  // namespace reprise::coordinator::testing
