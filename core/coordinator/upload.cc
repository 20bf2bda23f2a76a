#include "core/coordinator/upload.h"

#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/coordinator/operator_answers.h"
#include "core/coordinator/permissions.h"
#include "core/coordinator/status.h"

namespace reprise::coordinator {
namespace {

constexpr size_t kNameMax = 200;
constexpr size_t kVersionMax = 64;
constexpr size_t kDescriptorMax = 1 << 20;
constexpr size_t kSignatureMax = 16 << 10;  // As much as is read of one.

absl::Status CheckInfo(const plan::v1::BlobInfo& info) {
  const auto wrong = [](auto&&... what) { return absl::InvalidArgumentError(absl::StrCat(what...)); };
  if (info.kind() != "plugin" && info.kind() != "artifact") {
    return wrong("\"", info.kind(), "\": a file is a plugin or an artifact");
  }
  if (info.name().empty() || info.name().size() > kNameMax || info.name().find('/') != std::string::npos) {
    return wrong("\"", info.name(), "\" is no name of a file: no '/', at most ", kNameMax, " characters");
  }
  if (info.version().size() > kVersionMax) {
    return wrong("the version is ", info.version().size(), " bytes long; at most ", kVersionMax, " are taken");
  }
  if (info.signature().minisig().size() > kSignatureMax) {
    return wrong("the signature is ", info.signature().minisig().size(), " bytes long; at most ", kSignatureMax,
                 " are taken. Sign with a shorter comment");
  }
  if (info.descriptor_json().size() > kDescriptorMax) return wrong("the plugin describes itself at too great length");
  return absl::OkStatus();
}

class UploadReactor final : public grpc::ServerReadReactor<operators::v1::BlobUpload>,
                            public std::enable_shared_from_this<UploadReactor> {
 public:
  UploadReactor(std::string person, Loop& loop, BlobStore& blobs, Workers& workers, operators::v1::BlobList* response)
      : person_(std::move(person)), loop_(loop), blobs_(blobs), workers_(workers), response_(response) {}

  // Reads nothing before the keyring was asked.
  void Begin() {
    self_ = shared_from_this();
    loop_.Query([weak = weak_from_this()](const engine::Engine& engine) {
      const auto upload = weak.lock();
      if (!upload) return;
      absl::Status permitted = CheckPermission(engine.keyring(), upload->person_, "UploadBlob");
      permitted.ok() ? upload->ReadOn() : upload->End(permitted);
    });
  }

  void OnReadDone(bool ok) override {
    workers_.Run([weak = weak_from_this(), ok] {
      const auto upload = weak.lock();
      if (!upload) return;
      ok ? upload->Take() : upload->Commit();
    });
  }
  void OnCancel() override { End(absl::CancelledError()); }
  void OnDone() override { const std::shared_ptr<UploadReactor> last = std::move(self_); }

 private:
  void Take() {
    absl::Status status;
    if (part_.has_info() && !file_) {
      info_ = part_.info();
      status = CheckInfo(info_);
      if (status.ok()) {
        auto begun = blobs_.Begin(info_.sha256(), info_.size());
        status = begun.status();
        if (begun.ok()) file_ = *std::move(begun);
      }
    } else if (part_.part_case() == operators::v1::BlobUpload::kData && file_) {
      status = file_->Write(part_.data());
    } else {
      status = absl::InvalidArgumentError("an upload is one description, then data");
    }
    status.ok() ? ReadOn() : End(status);
  }

  // Everything has been sent.
  void Commit() {
    if (!file_) return End(absl::InvalidArgumentError("nothing was uploaded"));
    if (absl::Status status = file_->Commit(); !status.ok()) return End(status);
    file_.reset();
    engine::Command command;
    command.operator_name = person_;
    command.request = info_;
    loop_.Call(std::move(command), [weak = weak_from_this()](const engine::Engine&, const engine::Reply& reply) {
      const auto upload = weak.lock();
      if (!upload) return;
      if (reply.status.ok()) *upload->response_->add_blobs() = upload->info_;
      upload->End(reply.status);
    });
  }

  void ReadOn() {
    std::lock_guard lock(mutex_);
    if (!ended_) StartRead(&part_);
  }

  void End(const absl::Status& status) {
    std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    Finish(ToGrpc(status));
  }

  const std::string person_;
  Loop& loop_;
  BlobStore& blobs_;
  Workers& workers_;
  operators::v1::BlobList* const response_;
  std::shared_ptr<UploadReactor> self_;
  operators::v1::BlobUpload part_;
  plan::v1::BlobInfo info_;
  std::unique_ptr<BlobStore::Upload> file_;
  std::mutex mutex_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerReadReactor<operators::v1::BlobUpload>* StartUpload(std::string person, Loop& loop, BlobStore& blobs,
                                                                Workers& workers, operators::v1::BlobList* response) {
  const auto upload = std::make_shared<UploadReactor>(std::move(person), loop, blobs, workers, response);
  upload->Begin();
  return upload.get();
}

}  // namespace reprise::coordinator
