#include "core/cli/grpc_client.h"

#include <grpc/support/log.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/trust/certificate_authority.h"

namespace reprise::cli {
namespace {

using google::protobuf::Message;

constexpr char kService[] = "/reprise.operators.v1.OperatorService/";
constexpr int64_t kTimeoutDefaultMs = 30'000;
// A plan for tens of thousands of hosts is one message.
constexpr int kMessageBytesMax = 512 << 20;

grpc::ByteBuffer Pack(const Message& message) {
  grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status Unpack(const grpc::ByteBuffer& buffer, Message* message) {
  grpc::Slice slice;
  if (!buffer.Valid() || !buffer.DumpToSingleSlice(&slice).ok() ||
      !message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    return absl::DataLossError("the coordinator's answer cannot be read; is it of another version?");
  }
  return absl::OkStatus();
}

class GrpcClient final : public Client {
 public:
  GrpcClient(const Profile& profile, int64_t timeout_ms)
      : coordinator_(profile.coordinator), timeout_ms_(timeout_ms), stub_(Connect(profile)) {}

  absl::StatusOr<ops::BlobList> Upload(const plan::v1::BlobInfo& info, const NextChunk& next) override {
    Conversation talk(*this, "UploadBlob", 0);
    ops::BlobUpload part;
    *part.mutable_info() = info;
    bool going = talk.Start() && talk.Write(part);
    while (going) {
      absl::StatusOr<std::string> chunk = next();
      if (!chunk.ok()) return chunk.status();
      if (chunk->empty()) break;
      part.set_data(*std::move(chunk));
      going = talk.Write(part);
    }
    if (going) talk.WritesDone();
    ops::BlobList list;
    absl::Status read = absl::OkStatus();
    if (grpc::ByteBuffer buffer; talk.Read(&buffer)) read = Unpack(buffer, &list);
    if (absl::Status status = talk.Finish(); !status.ok()) return status;
    if (!read.ok()) return read;
    return list;
  }

 protected:
  absl::Status DoCall(const std::string& method, const Message& request, Message* response) override {
    absl::Status read = absl::OkStatus();
    bool answered = false;
    absl::Status status = Talk(method, request, timeout_ms_ > 0 ? timeout_ms_ : kTimeoutDefaultMs, [&](const auto& one) {
      answered = true;
      read = Unpack(one, response);
      return read.ok();
    });
    if (!status.ok()) return status;
    if (!answered) return absl::InternalError("the coordinator answered nothing");
    return read;
  }

  absl::Status DoWatch(const std::string& method, const Message& request, Message* response,
                       const std::function<bool()>& on_message) override {
    absl::Status read = absl::OkStatus();
    absl::Status status = Talk(method, request, timeout_ms_, [&](const auto& one) {
      read = Unpack(one, response);
      return read.ok() && on_message();
    });
    return status.ok() ? read : status;
  }

 private:
  // One call of any kind, step by step.
  class Conversation {
   public:
    Conversation(GrpcClient& client, const std::string& method, int64_t timeout_ms) : client_(client) {
      if (timeout_ms > 0) {
        context_.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
      }
      call_ = client.stub_.PrepareCall(&context_, kService + method, &queue_);
    }
    ~Conversation() {
      // Left in the middle: gRPC wants the end of it to be heard.
      if (started_ && !finished_) {
        context_.TryCancel();
        (void)Finish();
      }
      queue_.Shutdown();
      void* tag = nullptr;
      for (bool ok = false; queue_.Next(&tag, &ok);) {
      }
    }

    bool Start() {
      started_ = true;
      call_->StartCall(nullptr);
      return Done();
    }
    bool Write(const Message& message) {
      call_->Write(Pack(message), nullptr);
      return Done();
    }
    bool WritesDone() {
      call_->WritesDone(nullptr);
      return Done();
    }
    bool Read(grpc::ByteBuffer* buffer) {
      call_->Read(buffer, nullptr);
      return Done();
    }
    void Cancel() { context_.TryCancel(); }
    absl::Status Finish() {
      finished_ = true;
      grpc::Status status;
      call_->Finish(&status, nullptr);
      Done();
      return client_.ToStatus(status);
    }

   private:
    bool Done() {
      void* tag = nullptr;
      bool ok = false;
      return queue_.Next(&tag, &ok) && ok;
    }

    GrpcClient& client_;
    grpc::ClientContext context_;
    grpc::CompletionQueue queue_;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
    bool started_ = false;
    bool finished_ = false;
  };

  absl::Status Talk(const std::string& method, const Message& request, int64_t timeout_ms,
                    const std::function<bool(const grpc::ByteBuffer&)>& on_answer) {
    Conversation talk(*this, method, timeout_ms);
    if (talk.Start() && talk.Write(request) && talk.WritesDone()) {
      for (grpc::ByteBuffer buffer; talk.Read(&buffer);) {
        if (on_answer(buffer)) continue;
        talk.Cancel();
        (void)talk.Finish();
        return absl::OkStatus();
      }
    }
    return talk.Finish();
  }

  static std::shared_ptr<grpc::Channel> Connect(const Profile& profile) {
    // Its own words about a refused connection would stand before ours.
    gpr_set_log_function([](gpr_log_func_args*) {});
    grpc::SslCredentialsOptions credentials;
    credentials.pem_root_certs = profile.ca_pem;
    credentials.pem_cert_chain = profile.certificate_pem;
    credentials.pem_private_key = profile.key_pem;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(trust::kServerDnsName);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    arguments.SetMaxSendMessageSize(kMessageBytesMax);
    return grpc::CreateCustomChannel(profile.coordinator, grpc::SslCredentials(credentials), arguments);
  }

  absl::Status ToStatus(const grpc::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    const std::string& said = status.error_message();
    if (code == absl::StatusCode::kUnavailable && said.find("connect") != std::string::npos) {
      return absl::UnavailableError(absl::StrCat("the coordinator at ", coordinator_, " is not reached: ", said,
                                                 "\n  try: is reprise-coordinator running there, and does this machine "
                                                 "reach it? If it has moved, change `coordinator` in profile.json"));
    }
    if (code == absl::StatusCode::kDeadlineExceeded) {
      return absl::DeadlineExceededError(
          absl::StrCat("the coordinator at ", coordinator_, " did not answer in time; allow more with --timeout"));
    }
    return absl::Status(code, said);
  }

  const std::string coordinator_;
  const int64_t timeout_ms_;
  grpc::GenericStub stub_;
};

}  // namespace

std::unique_ptr<Client> ConnectOverGrpc(const Profile& profile, int64_t timeout_ms) {
  return std::make_unique<GrpcClient>(profile, timeout_ms);
}

}  // namespace reprise::cli
