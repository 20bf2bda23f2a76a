// A coordinator in the wrong hands: it has a site's folder with the authority's and the server's keys, speaks to real
// agents over real TLS, and says whatever it is told. It has no engine, no journal and no key of any person.
// For tests only: they show that it is the agent that refuses.
//
//   lying_coordinator --folder DIR [--listen 127.0.0.1:0]
//
// Makes DIR when there is no coordinator in it. Takes orders as json_messages.h says:
//   {"do":"certify","host":"ws-001","csr":"…"}                            -> "certificate", "ca"
//   {"do":"send","host":"ws-001","batch":{…CoordinatorBatch…}}            refused when the host is not connected
//   {"do":"hang_up","host":"ws-001"}
// In between, as they happen: {"is":"listening"|"connected"|"said"|"fetched"|"renewed"|"gone",…}.
#include <grpcpp/grpcpp.h>

#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/trust/certificate.h"
#include "core/trust/coordinator_folder.h"
#include "reprise/agent/v1/agent_service.grpc.pb.h"
#include "tests/integration/json_messages.h"

namespace reprise::integration {
namespace {

using nlohmann::json;
using agent::v1::AgentBatch;
using agent::v1::CoordinatorBatch;

constexpr size_t kChunk = 256 << 10;

// ---- agents ----

class Stream;

// Who is connected; the newest stream of a host wins.
class Streams {
 public:
  void Add(const std::string& host, Stream* stream) {
    std::lock_guard lock(mutex_);
    streams_[host] = stream;
  }
  void Remove(const std::string& host, Stream* stream) {
    std::lock_guard lock(mutex_);
    if (const auto found = streams_.find(host); found != streams_.end() && found->second == stream) {
      streams_.erase(found);
    }
  }
  // False when the host is not connected.
  template <class Act>
  bool With(const std::string& host, Act act) {
    std::lock_guard lock(mutex_);
    const auto found = streams_.find(host);
    if (found == streams_.end()) return false;
    act(*found->second);
    return true;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Stream*> streams_;
};

class Stream final : public grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch> {
 public:
  Stream(std::string host, Streams& streams) : host_(std::move(host)), streams_(streams) {
    streams_.Add(host_, this);
    Tell({{"is", "connected"}, {"host", host_}});
    StartRead(&incoming_);
  }

  void Send(CoordinatorBatch batch) {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(batch));
    if (!writing_) WriteLocked();
  }
  void HangUp() { End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "hung up")); }

  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);
    for (const auto& message : incoming_.messages()) {
      Tell({{"is", "said"}, {"host", host_}, {"message", AsJson(message).value_or(json())}});
    }
    incoming_.Clear();
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) WriteLocked();
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override {
    streams_.Remove(host_, this);
    Tell({{"is", "gone"}, {"host", host_}});
    delete this;
  }

 private:
  void WriteLocked() {
    if (queue_.empty() || ended_) return;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    StartWrite(&outgoing_);
  }
  void End(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    Finish(status);
  }

  const std::string host_;
  Streams& streams_;
  AgentBatch incoming_;
  CoordinatorBatch outgoing_;
  std::mutex mutex_;
  std::deque<CoordinatorBatch> queue_;
  bool writing_ = false;
  bool ended_ = false;
};

// Whatever stands under the name of the hash, whether it has it or not.
class Fetch final : public grpc::ServerWriteReactor<agent::v1::FetchChunk> {
 public:
  Fetch(const std::filesystem::path& blobs, const agent::v1::FetchRequest& request) : at_(request.offset()) {
    const std::string name = ToHex(request.sha256());
    const auto content = ReadFile(blobs / name.substr(0, 2) / name);
    Tell({{"is", "fetched"}, {"sha256", name}, {"there", content.ok()}});
    if (content.ok()) {
      content_ = *content;
      Next();
    } else {
      Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such file"));
    }
  }
  void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (at_ >= content_.size()) return Finish(grpc::Status::OK);
    chunk_.set_data(content_.substr(at_, kChunk));
    chunk_.set_total_size(content_.size());
    at_ += chunk_.data().size();
    StartWrite(&chunk_);
  }

  std::string content_;
  size_t at_;
  agent::v1::FetchChunk chunk_;
};

class Service final : public agent::v1::AgentService::CallbackService {
 public:
  Service(const trust::CoordinatorFolder& folder, Streams& streams) : folder_(folder), streams_(streams) {}

  grpc::ServerBidiReactor<AgentBatch, CoordinatorBatch>* Connect(grpc::CallbackServerContext* context) override {
    return new Stream(HostOf(*context), streams_);
  }
  grpc::ServerWriteReactor<agent::v1::FetchChunk>* Fetch(grpc::CallbackServerContext*,
                                                         const agent::v1::FetchRequest* request) override {
    return new integration::Fetch(folder_.Blobs(), *request);
  }
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const agent::v1::RenewRequest* request,
                                  agent::v1::RenewResponse* response) override {
    const std::string host = HostOf(*context);
    const auto authority = folder_.LoadAuthority();
    if (authority.ok()) {
      response->set_certificate_pem(authority->IssueHost(request->csr_pem(), host, SystemClock().Now()).value_or(""));
    }
    Tell({{"is", "renewed"}, {"host", host}});
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  static std::string HostOf(const grpc::CallbackServerContext& context) {
    const auto pem = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (pem.size() != 1) return "";
    const auto peer = trust::IdentityOfPem(std::string(pem[0].data(), pem[0].size()));
    return peer.ok() ? peer->name : "";
  }

  const trust::CoordinatorFolder& folder_;
  Streams& streams_;
};

// ---- what it is told ----

class Obedience {
 public:
  Obedience(const trust::CoordinatorFolder& folder, Streams& streams) : folder_(folder), streams_(streams) {}

  absl::StatusOr<json> Do(const json& order) {
    const std::string what = order.value("do", "");
    if (what == "certify") return Certify(order);
    if (what == "send") return Send(order);
    if (what == "hang_up") {
      return Connected(streams_.With(order.at("host"), [](Stream& stream) { stream.HangUp(); }), order);
    }
    return absl::InvalidArgumentError("what is \"" + what + "\"?");
  }

 private:
  absl::StatusOr<json> Certify(const json& order) const {
    ASSIGN_OR_RETURN(const auto authority, folder_.LoadAuthority());
    ASSIGN_OR_RETURN(const std::string certificate,
                     authority.IssueHost(order.at("csr").get<std::string>(), order.at("host").get<std::string>(),
                                         SystemClock().Now()));
    return json{{"certificate", certificate}, {"ca", authority.certificate()}};
  }
  absl::StatusOr<json> Send(const json& order) {
    CoordinatorBatch batch;
    RETURN_IF_ERROR(FromJson(order.at("batch"), batch));
    return Connected(streams_.With(order.at("host"), [&](Stream& stream) { stream.Send(batch); }), order);
  }
  static absl::StatusOr<json> Connected(bool yes, const json& order) {
    if (yes) return json::object();
    return absl::UnavailableError(order.at("host").get<std::string>() + " is not connected");
  }

  const trust::CoordinatorFolder& folder_;
  Streams& streams_;
};

absl::Status Run(const std::string& path, const std::string& listen) {
  const trust::CoordinatorFolder folder(path);
  if (!std::filesystem::exists(folder.Config())) {
    trust::CoordinatorConfig config;
    config.site = "lies";
    config.names = {"127.0.0.1"};
    RETURN_IF_ERROR(folder.Create(config, SystemClock().Now()));
  }
  ASSIGN_OR_RETURN(const auto identity, folder.LoadServerIdentity(SystemClock().Now()));
  ASSIGN_OR_RETURN(const auto authority, folder.LoadAuthority());

  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = authority.certificate();
  tls.pem_key_cert_pairs.push_back({identity.key, identity.certificate_chain});
  Streams streams;
  Service service(folder, streams);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, grpc::SslServerCredentials(tls), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return absl::UnavailableError("cannot listen on " + listen);
  Tell({{"is", "listening"}, {"port", port}, {"ca_fingerprint", authority.fingerprint()}});

  Obedience obedience(folder, streams);
  ObeyStdin([&](const json& order) { return obedience.Do(order); });
  server->Shutdown(std::chrono::system_clock::now());
  return absl::OkStatus();
}

}  // namespace
}  // namespace reprise::integration

int main(int argc, char** argv) {
  std::string folder;
  std::string listen = "127.0.0.1:0";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--folder") folder = argv[i + 1];
    if (std::string(argv[i]) == "--listen") listen = argv[i + 1];
  }
  if (folder.empty()) {
    std::cerr << "usage: lying_coordinator --folder DIR [--listen ADDRESS:PORT]\n";
    return 2;
  }
  const absl::Status status = reprise::integration::Run(folder, listen);
  if (status.ok()) return 0;
  std::cerr << "lying_coordinator: " << std::string(status.message()) << '\n';
  return 1;
}
