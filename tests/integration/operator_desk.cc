// People's desk in these tests: founds a site and calls any method of the coordinator as whoever has the certificate,
// with requests and answers in JSON. Made of the project's rooms and not of its command line, so that what the tests see
// does not depend on how that prints.
//
// Takes orders as json_messages.h says:
//   {"do":"found","folder":"…","config":{"site":…,"listen":…,…},"keyring":{…SignedStatement…},"founder":"alice"}
//     -> "ca_fingerprint"
//   {"do":"certify","folder":"…","operator":"alice" | "host":"ws-001"[,"age_ms":…]}  with the site's own authority
//     -> "certificate", "key", "ca"
//   {"do":"call","address":"127.0.0.1:1","ca":"…","certificate":"…","key":"…",
//    "method":"reprise.operators.v1.OperatorService/GetStatus","requests":[{…},…],"seconds":20}
//     -> "code" (gRPC's), "message", "responses". Without "certificate" nobody in particular calls.
//   {"do":"hang_up"}   the next call makes a new connection, whoever calls
//   {"do":"verify","journal":"…/journal.db"}
//     -> "events", "head", "refolded", "faults": [{"sequence":7,"what":"…"}]
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <string>

#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "core/journal/founding.h"
#include "core/journal/verify.h"
#include "core/trust/certificate_request.h"
#include "core/trust/coordinator_folder.h"
#include "reprise/agent/v1/agent_service.pb.h"
#include "reprise/operators/v1/operators_service.pb.h"
#include "tests/integration/json_messages.h"

namespace reprise::integration {
namespace {

using google::protobuf::Message;
using nlohmann::json;

// Nothing else names the services' descriptions, and a linker leaves out what nobody names.
[[gnu::used]] const void* const kLinkedIn[] = {
    &descriptor_table_reprise_2fagent_2fv1_2fagent_5fservice_2eproto,
    &descriptor_table_reprise_2foperators_2fv1_2foperators_5fservice_2eproto,
};

absl::StatusOr<json> Found(const json& order) {
  ASSIGN_OR_RETURN(const auto config, trust::CoordinatorConfig::Parse(order.at("config").dump()));
  const trust::CoordinatorFolder folder(order.at("folder").get<std::string>());
  RETURN_IF_ERROR(folder.Create(config, SystemClock().Now()));
  plan::v1::SignedStatement keyring;
  RETURN_IF_ERROR(FromJson(order.at("keyring"), keyring));
  RETURN_IF_ERROR(journal::FoundJournal(folder.Journal(), keyring, order.at("founder"), SystemClock().Now()));
  ASSIGN_OR_RETURN(const auto authority, folder.LoadAuthority());
  return json{{"ca_fingerprint", authority.fingerprint()}};
}

absl::StatusOr<json> Certify(const json& order) {
  const trust::CoordinatorFolder folder(order.at("folder").get<std::string>());
  ASSIGN_OR_RETURN(const auto authority, folder.LoadAuthority());
  const bool person = order.contains("operator");
  const std::string name = order.at(person ? "operator" : "host");
  ASSIGN_OR_RETURN(const std::string key, trust::NewKey());
  ASSIGN_OR_RETURN(const std::string request, trust::NewRequest(key, name));
  // Made in the past where one is wanted that has expired.
  const UnixMs now = SystemClock().Now() - order.value("age_ms", int64_t{0});
  ASSIGN_OR_RETURN(const std::string certificate,
                   person ? authority.IssueOperator(request, name, now) : authority.IssueHost(request, name, now));
  return json{{"certificate", certificate}, {"key", key}, {"ca", authority.certificate()}};
}

absl::StatusOr<json> Verify(const json& order) {
  ASSIGN_OR_RETURN(const auto report, journal::VerifyJournal(order.at("journal").get<std::string>(), {}));
  json faults = json::array();
  for (const auto& fault : report.faults) faults.push_back({{"sequence", fault.sequence}, {"what", fault.what}});
  return json{{"events", report.events}, {"head", report.head}, {"refolded", report.refolded}, {"faults", faults}};
}

// One connection for each identity, kept.
class Phones {
 public:
  std::shared_ptr<grpc::Channel> To(const json& order) {
    const std::string address = order.at("address");
    const std::string certificate = order.value("certificate", "");
    auto& channel = channels_[{address, certificate}];
    if (channel == nullptr || channel->GetState(false) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      grpc::SslCredentialsOptions options;
      options.pem_root_certs = order.at("ca");
      options.pem_cert_chain = certificate;
      options.pem_private_key = order.value("key", "");
      grpc::ChannelArguments arguments;
      arguments.SetSslTargetNameOverride(trust::kServerDnsName);
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
      arguments.SetMaxReceiveMessageSize(-1);
      channel = grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
    }
    return channel;
  }

 private:
  std::map<std::pair<std::string, std::string>, std::shared_ptr<grpc::Channel>> channels_;
};

absl::StatusOr<grpc::ByteBuffer> Pack(const std::string& type, const json& object) {
  ASSIGN_OR_RETURN(const auto message, NewMessage(type));
  RETURN_IF_ERROR(FromJson(object, *message));
  grpc::Slice slice(message->SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<json> Unpack(const std::string& type, const grpc::ByteBuffer& buffer) {
  ASSIGN_OR_RETURN(const auto message, NewMessage(type));
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return absl::DataLossError("no bytes");
  if (!message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) return absl::DataLossError("not a " + type);
  return AsJson(*message);
}

// Of every kind: all requests are written, all responses read.
absl::StatusOr<json> Call(const json& order, Phones& phones) {
  const std::string path = order.at("method");
  const size_t slash = path.find('/');
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(path.substr(0, slash));
  const auto* method = service == nullptr ? nullptr : service->FindMethodByName(path.substr(slash + 1));
  if (method == nullptr) return absl::NotFoundError("no method " + path);
  std::vector<grpc::ByteBuffer> requests;
  for (const json& request : order.at("requests")) {
    ASSIGN_OR_RETURN(requests.emplace_back(), Pack(method->input_type()->full_name(), request));
  }

  grpc::GenericStub stub(phones.To(order));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(order.value("seconds", 20)));
  grpc::CompletionQueue queue;
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, "/" + path, &queue);
  call->StartCall(nullptr);
  bool going = done();
  for (size_t i = 0; going && i < requests.size(); ++i) {
    call->Write(requests[i], nullptr);
    going = done();
  }
  if (going) {
    call->WritesDone(nullptr);
    done();
  }
  json responses = json::array();
  for (grpc::ByteBuffer buffer; going;) {
    call->Read(&buffer, nullptr);
    if (!done()) break;
    ASSIGN_OR_RETURN(responses.emplace_back(), Unpack(method->output_type()->full_name(), buffer));
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  return json{{"code", status.error_code()}, {"message", status.error_message()}, {"responses", responses}};
}

}  // namespace
}  // namespace reprise::integration

int main() {
  using namespace reprise::integration;
  using nlohmann::json;
  Phones phones;
  ObeyStdin([&](const json& order) -> absl::StatusOr<json> {
    const std::string what = order.value("do", "");
    if (what == "found") return Found(order);
    if (what == "certify") return Certify(order);
    if (what == "hang_up") {
      phones = Phones();
      return json::object();
    }
    if (what == "verify") return Verify(order);
    if (what == "call") return Call(order, phones);
    return absl::InvalidArgumentError("what is \"" + what + "\"?");
  });
}
