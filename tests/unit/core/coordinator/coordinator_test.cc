// The whole of it, over real connections: what each caller may do, and one run from inventory to success.
#include "core/coordinator/coordinator.h"

#include <grpcpp/generic/generic_stub.h>

#include "core/crypto/sha256.h"
#include "core/journal/verify.h"
#include "tests/unit/core/coordinator/site.h"

namespace reprise::coordinator::testing {
namespace {

using agent::v1::CoordinatorMessage;
using ::testing::HasSubstr;
using Stub = ops::OperatorService::Stub;

plan::v1::BlobInfo Upload(Site& site, const std::string& content, const std::string& announced) {
  plan::v1::BlobInfo info;
  info.set_kind("plugin");
  info.set_name("mock");
  info.set_version("1.0.0");
  info.set_sha256(crypto::Sha256(announced));
  info.set_size(content.size());
  const auto stub = site.As("alice");
  grpc::ClientContext context;
  ops::BlobList list;
  const auto writer = stub->UploadBlob(&context, &list);
  ops::BlobUpload part;
  *part.mutable_info() = info;
  writer->Write(part);
  for (size_t at = 0; at < content.size(); at += 100'000) {
    part.set_data(content.substr(at, 100'000));
    writer->Write(part);
  }
  writer->WritesDone();
  site.last = writer->Finish();
  return info;
}

std::string Fetch(const Site& site, const Site::Identity& host, const std::string& sha256, uint64_t offset) {
  const auto stub = agent::v1::AgentService::NewStub(site.ChannelOf(host));
  grpc::ClientContext context;
  agent::v1::FetchRequest request;
  request.set_sha256(sha256);
  request.set_offset(offset);
  const auto reader = stub->Fetch(&context, request);
  std::string all;
  for (agent::v1::FetchChunk chunk; reader->Read(&chunk);) all += chunk.data();
  const grpc::Status status = reader->Finish();
  return status.ok() ? all : status.error_message();
}

TEST(Coordinator, RefusesToJoinUntilTokensAreIssuedAndTakesEachTokenOnce) {
  Site site;
  EXPECT_EQ(web::testing::Ask(site.coordinator->join_port(), "POST", "/v1/join", "{}").problem, "refused");
  site.Declare("ws-001");
  const std::string secret = Site::SecretOf(site.Token("ws-001"));
  const std::string key = *trust::NewKey();
  EXPECT_EQ(site.Join("ws-002", secret, key).status, 403) << "a token is bound to its host";
  EXPECT_EQ(site.Join("ws-001", secret + "X", key).status, 403);
  EXPECT_EQ(site.Join("ws-001", secret, key).status, 200);
  const auto again = site.Join("ws-001", secret, key);
  EXPECT_EQ(again.status, 403);
  EXPECT_THAT(again.body, HasSubstr("reprise host token")) << "an error says what to do";
  EXPECT_THAT(again.body, Not(HasSubstr(secret)));
}

TEST(Coordinator, LetsNobodyDoWhatIsNotHis) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  grpc::ClientContext first;
  ops::StatusView view;
  const auto as_operator = ops::OperatorService::NewStub(site.ChannelOf(host));
  EXPECT_EQ(as_operator->GetStatus(&first, {}, &view).error_code(), grpc::PERMISSION_DENIED);

  const auto as_agent = agent::v1::AgentService::NewStub(site.ChannelOf(site.NewOperator("alice")));
  grpc::ClientContext second;
  agent::v1::RenewResponse renewed;
  EXPECT_EQ(as_agent->Renew(&second, {}, &renewed).error_code(), grpc::PERMISSION_DENIED);

  site.Call("carol", &Stub::RaiseStop, ops::StopRequest());
  EXPECT_TRUE(site.last.ok()) << "an approver may stop everything";
  site.Call("carol", &Stub::LiftStop, ops::StopRequest());
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED);
  site.Call("mallory", &Stub::GetStatus, ops::Empty());
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED) << "a certificate is not enough: the keyring names people";

  ops::ExtendKeyringRequest revoke;
  *revoke.mutable_statement() = site.people.Revoke("carol");
  site.Call("alice", &Stub::ExtendKeyring, revoke);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  site.Call("carol", &Stub::GetStatus, ops::Empty());
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED);
}

TEST(Coordinator, SpeaksOnlyToCertificatesOfItsOwnAuthorityAndOnlyTls13) {
  Site site;
  Site::Identity stranger = site.NewOperator("alice");
  const auto other = trust::CertificateAuthority::Create("other", site.clock.Now());
  stranger.certificate = *other->IssueOperator(*trust::NewRequest(stranger.key, "alice"), "alice", site.clock.Now());
  grpc::ClientContext context;
  ops::StatusView view;
  EXPECT_EQ(ops::OperatorService::NewStub(site.ChannelOf(stranger))->GetStatus(&context, {}, &view).error_code(),
            grpc::UNAVAILABLE);
  EXPECT_EQ(web::testing::TlsConnection(site.coordinator->port(), TLS1_2_VERSION).problem(), "no TLS");
  web::testing::TlsConnection nobody(site.coordinator->port());
  EXPECT_EQ(nobody.problem(), "") << "in TLS 1.3 the client learns of it after its own last message";
  EXPECT_EQ(nobody.version(), "TLSv1.3");
  EXPECT_EQ(nobody.ReadToEnd(), "") << "no byte of HTTP/2 for one without a certificate";
  EXPECT_EQ(web::testing::TlsConnection(site.coordinator->web_port(), TLS1_2_VERSION).problem(), "no TLS");
}

TEST(Coordinator, KeepsFilesOnlyWhenTheyAreWhatWasAnnouncedAndGivesThemFromAnyOffset) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  const std::string content(1'000'001, 'x');
  Upload(site, content, "something else");
  EXPECT_EQ(site.last.error_code(), grpc::INVALID_ARGUMENT);
  const auto info = Upload(site, content, content);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  EXPECT_EQ(Fetch(site, host, info.sha256(), 0), content);
  EXPECT_EQ(Fetch(site, host, info.sha256(), 999'999), "xx");
  EXPECT_EQ(Fetch(site, host, info.sha256(), content.size()), "");
  EXPECT_THAT(Fetch(site, host, info.sha256(), content.size() + 1), HasSubstr("bytes"));
  EXPECT_THAT(Fetch(site, host, crypto::Sha256("nothing"), 0), HasSubstr("no file"));
  EXPECT_EQ(site.Call("bob", &Stub::ListBlobs, ops::ListBlobsRequest()).blobs_size(), 1);
}

TEST(Coordinator, RenewsTheCertificateOfAHostThatIsEnrolled) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  const auto ask = [&](const Site::Identity& identity) {
    grpc::ClientContext context;
    agent::v1::RenewRequest request;
    request.set_csr_pem(*trust::NewRequest(identity.key, "x"));
    agent::v1::RenewResponse response;
    site.last = agent::v1::AgentService::NewStub(site.ChannelOf(identity))->Renew(&context, request, &response);
    return response.certificate_pem();
  };
  const auto renewed = trust::ReadCertificate(ask(host));
  ASSERT_OK(renewed);
  EXPECT_EQ(renewed->subject, "ws-001") << "the name is the caller's, whatever the request says";
  ask(site.NewHost("ws-009"));
  EXPECT_EQ(site.last.error_code(), grpc::PERMISSION_DENIED);
}

engine_testing::PlanDraft Draft(const Site& site, const std::string& plugin) {
  engine_testing::PlanDraft draft(site.people);
  const UnixMs now = site.clock.Now() / 1000 * 1000;
  draft.header.set_created_ms(now);
  draft.header.set_expires_ms(now + trust::kHour);
  draft.header.mutable_plugins(0)->set_sha256(plugin);
  auto& stage = draft.AddStage("protect", {1});
  draft.AddStep(stage, "install");
  return draft;
}

TEST(Coordinator, CarriesARunFromInventoryToSuccessAndRemembersItAfterARestart) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  site.Admit("ws-001");
  const auto plugin = Upload(site, "the plugin's bytes", "the plugin's bytes");
  const auto draft = Draft(site, plugin.sha256());
  agent::v1::Hello hello;
  hello.set_keyring_version(1);
  auto agent = std::make_unique<Agent>(site, host, hello);
  ASSERT_TRUE(agent->Next(CoordinatorMessage::kWelcome));
  EXPECT_TRUE(agent->Next(CoordinatorMessage::kHostStatement)) << "it was admitted before it came";

  ops::SubmitPlanRequest submit;
  *submit.mutable_bundle() = draft.Bundle();
  site.Call("bob", &Stub::SubmitPlan, submit);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  ops::StartRunRequest start;
  start.set_plan_id(draft.header.plan_id());
  site.Call("bob", &Stub::StartRun, start);
  EXPECT_FALSE(site.last.ok()) << "nobody has signed it";
  ops::SignPlanRequest sign;
  sign.set_plan_id(start.plan_id());
  *sign.mutable_signature() = draft.Sign("alice");
  site.Call("alice", &Stub::SignPlan, sign);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();
  const ops::RunView run = site.Call("bob", &Stub::StartRun, start);
  ASSERT_TRUE(site.last.ok()) << site.last.error_message();

  const auto watcher = site.As("bob");
  grpc::ClientContext context;
  ops::GetRunRequest request;
  request.set_run(run.id());
  request.set_targets(true);
  const auto watched = watcher->WatchRun(&context, request);
  ops::RunView view;
  ASSERT_TRUE(watched->Read(&view));
  EXPECT_EQ(view.state(), model::v1::RUN_STATE_RUNNING);

  const auto task = agent->Next(CoordinatorMessage::kTask);
  ASSERT_TRUE(task);
  EXPECT_TRUE(task->task().has_authority());
  agent::v1::AgentMessage message;
  *message.mutable_accepted()->mutable_key() = task->task().key();
  agent->Say(message);
  *message.mutable_finished()->mutable_key() = task->task().key();
  message.mutable_finished()->set_outcome(model::v1::OUTCOME_CHANGED);
  agent->Say(message);
  EXPECT_TRUE(agent->Next(CoordinatorMessage::kAcknowledged));
  while (watched->Read(&view)) {
  }
  EXPECT_TRUE(watched->Finish().ok());
  EXPECT_EQ(view.state(), model::v1::RUN_STATE_SUCCEEDED);
  agent.reset();

  site.Stop();
  const auto report = journal::VerifyJournal(site.folder.Journal(), {});
  ASSERT_OK(report);
  EXPECT_TRUE(report->ok()) << report->faults.front().what;
  EXPECT_TRUE(report->refolded);
  site.Start();
  ops::GetRunRequest again;
  again.set_run(run.id());
  EXPECT_EQ(site.Call("bob", &Stub::GetRun, again).state(), model::v1::RUN_STATE_SUCCEEDED);

  const auto reader = site.As("bob");
  grpc::ClientContext reading;
  ops::ReadJournalRequest all;
  const auto records = reader->ReadJournal(&reading, all);
  uint64_t last = 0;
  for (ops::JournalRecord record; records->Read(&record);) EXPECT_EQ(record.sequence(), ++last);
  EXPECT_TRUE(records->Finish().ok());
  EXPECT_GT(last, report->events) << "that it was started again is journalled too";
}

TEST(Coordinator, GathersDryRunsAndNamesWhoDidNotAnswer) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  const auto draft = Draft(site, crypto::Sha256("not in the store"));
  ops::PreviewPlanRequest request;
  *request.mutable_bundle() = draft.Bundle();
  request.set_timeout_ms(20'000);
  const auto ask = [&](const std::function<void()>& meanwhile) {
    const auto stub = site.As("bob");
    grpc::ClientContext context;
    const auto reader = stub->PreviewPlan(&context, request);
    meanwhile();
    ops::HostPreview preview;
    EXPECT_TRUE(reader->Read(&preview));
    EXPECT_TRUE(reader->Finish().ok());
    return preview;
  };
  EXPECT_EQ(ask([] {}).error(), "not connected");

  Agent agent(site, host);
  ASSERT_TRUE(agent.Next(CoordinatorMessage::kWelcome));
  const auto preview = ask([&] {
    const auto asked = agent.Next(CoordinatorMessage::kPreview);
    ASSERT_TRUE(asked);
    ASSERT_EQ(asked->preview().steps_size(), 1);
    agent::v1::AgentMessage message;
    message.mutable_preview()->set_request(asked->preview().request());
    message.mutable_preview()->set_ok(true);
    message.mutable_preview()->set_result_json("{}");
    agent.Say(message);
  });
  EXPECT_TRUE(preview.ok());
  EXPECT_EQ(preview.host(), "ws-001");
  request.set_timeout_ms(50);
  EXPECT_EQ(ask([] {}).error(), "no answer within 50ms");
}

TEST(Coordinator, EndsTheOlderOfTwoSessionsOfOneHostAndRefusesOneThatIsNotEnrolled) {
  Site site;
  site.Declare("ws-001");
  const auto host = site.Enrol("ws-001");
  Agent first(site, host);
  ASSERT_TRUE(first.Next(CoordinatorMessage::kWelcome));
  Agent second(site, host);
  ASSERT_TRUE(second.Next(CoordinatorMessage::kWelcome));
  EXPECT_FALSE(first.Next(CoordinatorMessage::kTask)) << "ended";
  Agent stranger(site, site.NewHost("ws-002"));
  EXPECT_FALSE(stranger.Next(CoordinatorMessage::kWelcome));
  EXPECT_THAT(stranger.Finish().error_message(), HasSubstr("not enrolled"));
}

// One message there and one back, as bytes: for services of which this project has no messages.
std::string Exchange(const Site& site, const std::string& method, const std::string& request) {
  grpc::GenericStub stub(site.ChannelOf(site.NewOperator("bob")));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const auto step = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream = stub.PrepareCall(&context, method, &queue);
  stream->StartCall(nullptr);
  if (!step()) return "";
  const grpc::Slice bytes(request);
  stream->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(), nullptr);
  grpc::ByteBuffer response;
  std::string answer;
  if (step()) {
    stream->Read(&response, nullptr);
    std::vector<grpc::Slice> slices;
    if (step() && response.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) answer.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  step();
  return answer;
}

TEST(Coordinator, TellsItsHealthAndDescribesItsServices) {
  Site site;
  EXPECT_EQ(Exchange(site, "/grpc.health.v1.Health/Check", ""), "\x08\x01") << "SERVING";
  const std::string list_services("\x3a\x00", 2);
  EXPECT_THAT(Exchange(site, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services),
              HasSubstr("reprise.operators.v1.OperatorService"));
  const std::string name = "reprise.operators.v1.OperatorService";
  const std::string file_of = std::string("\x22") + static_cast<char>(name.size()) + name;
  EXPECT_THAT(Exchange(site, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", file_of),
              HasSubstr("PreviewPlan"));
}

TEST(Coordinator, EndsWhileOthersStillWatch) {
  Site site;
  const auto watcher = site.As("bob");
  grpc::ClientContext context;
  ops::ReadJournalRequest request;
  request.set_follow(true);
  const auto reader = watcher->ReadJournal(&context, request);
  ops::JournalRecord record;
  ASSERT_TRUE(reader->Read(&record));
  site.Stop();
  while (reader->Read(&record)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

TEST(Coordinator, LetsOnlyOneOpenAFolder) {
  Site site;
  EXPECT_FALSE(Coordinator::Start({site.folder.path(), "", "", ""}, site.clock, site.random).ok());
}

}  // namespace
}  // namespace reprise::coordinator::testing
