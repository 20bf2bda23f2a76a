#include "core/cli/commands/upload.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/progress_bar.h"
#include "core/crypto/sha256.h"

namespace reprise::cli {
namespace {

constexpr size_t kChunkBytes = 256 << 10;  // What one message may carry.

// A file in parts. It is at its end when a part is empty.
class Parts {
 public:
  static absl::StatusOr<Parts> Open(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return absl::NotFoundError(absl::StrCat(path.string(), ": no such file"));
    if (!std::filesystem::is_regular_file(path, error)) {
      return absl::InvalidArgumentError(absl::StrCat(path.string(), " is not a file"));
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return absl::PermissionDeniedError(absl::StrCat(path.string(), ": cannot be read"));
    return Parts(path, std::move(stream));
  }

  absl::StatusOr<std::string> Next() {
    std::string part(kChunkBytes, '\0');
    stream_.read(part.data(), static_cast<std::streamsize>(part.size()));
    if (stream_.bad()) return absl::DataLossError(absl::StrCat(path_.string(), ": reading fails"));
    part.resize(static_cast<size_t>(stream_.gcount()));
    return part;
  }

 private:
  Parts(std::filesystem::path path, std::ifstream stream) : path_(std::move(path)), stream_(std::move(stream)) {}
  std::filesystem::path path_;
  std::ifstream stream_;
};

}  // namespace

absl::StatusOr<plan::v1::BlobInfo> MeasureFile(Context& context, const std::filesystem::path& path,
                                               const std::string& kind) {
  ASSIGN_OR_RETURN(Parts parts, Parts::Open(path));
  std::error_code error;
  const uint64_t expected = std::filesystem::file_size(path, error);
  ProgressBar bar(context.terminal, absl::StrCat("hashing ", path.filename().string()), error ? 0 : expected,
                  Unit::kBytes, context.clock.Now());
  crypto::Sha256Hasher hasher;
  uint64_t size = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const std::string part, parts.Next());
    if (part.empty()) break;
    hasher.Update(part);
    size += part.size();
    bar.Show(size, context.clock.Now());
  }
  if (size == 0) return absl::InvalidArgumentError(absl::StrCat(path.string(), " is empty"));
  plan::v1::BlobInfo info;
  info.set_sha256(hasher.Finish());
  info.set_size(size);
  info.set_name(path.filename().string());
  info.set_kind(kind);
  return info;
}

absl::Status UploadFile(Context& context, const std::filesystem::path& path, const plan::v1::BlobInfo& info) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(Parts parts, Parts::Open(path));
  ProgressBar bar(context.terminal, path.filename().string(), info.size(), Unit::kBytes, context.clock.Now());
  uint64_t sent = 0;
  const auto stored = client->Upload(info, [&]() -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(std::string part, parts.Next());
    sent += part.size();
    if (sent > info.size() || (part.empty() && sent != info.size())) {
      return absl::FailedPreconditionError(absl::StrCat(path.string(), " was changed while it was read; try again"));
    }
    bar.Show(sent, context.clock.Now());
    return part;
  });
  return stored.status();
}

absl::StatusOr<ops::BlobList> ListBlobs(Context& context, const std::string& kind) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::ListBlobsRequest request;
  request.set_kind(kind);
  return client->Call<ops::BlobList>("ListBlobs", request);
}

void SayUploaded(Context& context, const plan::v1::BlobInfo& info) {
  context.Say(absl::StrCat(info.kind(), " ", info.name(), info.version().empty() ? "" : " ", info.version(), ", ",
                           ByteText(info.size()), ", is in the store: ", ToHex(info.sha256())));
}

}  // namespace reprise::cli
