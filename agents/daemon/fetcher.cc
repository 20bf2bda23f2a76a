#include "agents/daemon/fetcher.h"

#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/crypto/minisign.h"

namespace reprise::daemon {
namespace {

constexpr uint64_t kArtifactBytesMax = 8ull << 30;
constexpr uint64_t kSignedBytesMax = 64ull << 20;  // Read into memory to check the signature.
constexpr int kBadContentMax = 2;

uint64_t SizeMax(const agents::WantedFile& file) {
  if (file.size > 0) return file.size;
  return file.minisig.empty() ? kArtifactBytesMax : kSignedBytesMax;
}

std::string CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return "not_found";
    case absl::StatusCode::kDataLoss:
      return "bad_content";
    case absl::StatusCode::kUnauthenticated:
      return "plugin_signature";
    case absl::StatusCode::kResourceExhausted:
      return "disk_full";
    case absl::StatusCode::kFailedPrecondition:
      return "too_large";
    default:
      return "files";
  }
}

}  // namespace

absl::Status CheckPluginSignature(const std::string& content, const agents::WantedFile& file) {
  for (const std::string& text : file.keys) {
    const auto key = crypto::PublicKey::Parse(text);
    if (key.ok() && key->Verify(content, file.minisig).ok()) return absl::OkStatus();
  }
  return absl::UnauthenticatedError(absl::StrCat("plugin ", file.name,
                                                 ": no active operator of the keyring signed these bytes; sign it with "
                                                 "`reprise plugin sign` and add it again with `reprise plugin add`"));
}

void Fetcher::Fetch(agents::FetchFiles request) {
  auto job = std::make_shared<Job>();
  job->request = std::move(request);
  {
    std::lock_guard lock(mutex_);
    jobs_[job->request.id] = job;
  }
  local_.Post([this, job] { LookInCache(job); });
}

void Fetcher::Drop(uint64_t id) {
  std::lock_guard lock(mutex_);
  if (const auto found = jobs_.find(id); found != jobs_.end()) {
    found->second->dropped = true;
    jobs_.erase(found);
  }
  parked_.erase(id);
}

void Fetcher::Online() {
  std::map<uint64_t, SharedJob> parked;
  {
    std::lock_guard lock(mutex_);
    online_ += 1;
    parked.swap(parked_);
  }
  for (auto& [id, job] : parked) remote_.Post([this, job = job] { Download(job); });
}

// A job whose files are all here does not wait behind another's download.
void Fetcher::LookInCache(const SharedJob& job) {
  for (const agents::WantedFile& file : job->request.files) {
    if (job->dropped) return;
    const auto has = cache_.Has(file.sha256);
    if (!has.ok()) return End(job, has.status(), CodeOf(has.status()));
    if (!*has) return remote_.Post([this, job] { Download(job); });
  }
  absl::Status status = Complete(job);
  End(job, status, CodeOf(status));
}

void Fetcher::Download(const SharedJob& job) {
  uint64_t online = 0;
  {
    std::lock_guard lock(mutex_);
    online = online_;
  }
  for (const agents::WantedFile& file : job->request.files) {
    if (job->dropped) return;
    const auto has = cache_.Has(file.sha256);
    if (!has.ok()) return End(job, has.status(), CodeOf(has.status()));
    if (*has) continue;
    absl::Status status = cache_.Bring(file.sha256, SizeMax(file), [&](uint64_t offset, const auto& take) {
      return link_.Fetch(file.sha256, offset, [&](std::string_view data, uint64_t total) -> absl::Status {
        if (job->dropped) return absl::CancelledError("not wanted any more");
        return take(data, total);
      });
    });
    if (status.ok()) continue;
    if (job->dropped) return;
    if (status.code() == absl::StatusCode::kDataLoss && ++job->bad_content < kBadContentMax) {
      return remote_.Post([this, job] { Download(job); });
    }
    const bool cut = status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kCancelled ||
                     status.code() == absl::StatusCode::kDeadlineExceeded;
    if (!cut) {
      return End(job, absl::Status(status.code(), absl::StrCat(file.name, ": ", std::string(status.message()))),
                 CodeOf(status));
    }
    std::lock_guard lock(mutex_);
    // A session that came while this one failed is not missed.
    if (online_ != online) {
      remote_.Post([this, job] { Download(job); });
    } else {
      parked_[job->request.id] = job;
    }
    return;
  }
  absl::Status status = Complete(job);
  End(job, status, CodeOf(status));
}

absl::Status Fetcher::Complete(const SharedJob& job) {
  for (const agents::WantedFile& file : job->request.files) {
    if (file.minisig.empty() && file.keys.empty()) continue;
    ASSIGN_OR_RETURN(const std::string content, ReadFile(cache_.PathOf(file.sha256)));
    RETURN_IF_ERROR(CheckPluginSignature(content, file));
  }
  return absl::OkStatus();
}

void Fetcher::End(const SharedJob& job, const absl::Status& status, const std::string& code) {
  {
    std::lock_guard lock(mutex_);
    if (jobs_.erase(job->request.id) == 0) return;  // Dropped.
  }
  agents::FilesReady ready;
  ready.id = job->request.id;
  ready.ok = status.ok();
  ready.code = status.ok() ? "" : code;
  ready.message = std::string(status.message());
  done_(std::move(ready));
}

}  // namespace reprise::daemon
