#include "plugins/backup/worker/judge_one.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/examiner.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/listing.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

JobOutcome Only(const Job& job, Sign sign, std::string expected, std::string found) {
  JobOutcome result;
  result.judged.outcome.format = "unknown";
  result.judged.outcome.extent.bytes = std::max<uint64_t>(job.size, 1);
  result.judged.outcome.findings = {{sign, job.name, 0, std::move(expected), std::move(found)}};
  result.judged.files = 1;
  return result;
}

// A digest over pieces. The algorithm is looked up once: for small files that costs as much as the rest.
class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), kind, nullptr) != 1) throw std::bad_alloc();
  }
  void Update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string Hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
      hex += "0123456789abcdef"[digest[i] >> 4];
      hex += "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
  }

 private:
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

const EVP_MD* Fetched(const char* name) {
  EVP_MD* kind = EVP_MD_fetch(nullptr, name, nullptr);  // Kept for the life of the process.
  if (kind == nullptr) throw std::bad_alloc();
  return kind;
}

const EVP_MD* Sha256Kind() {
  static const EVP_MD* kind = Fetched("SHA256");
  return kind;
}

// The SHA-256 of a file while it is decoded: takes the pieces that come in a row, and at the end reads what did not.
class Fingerprint {
 public:
  explicit Fingerprint(FileSource& source) : source_(source), digest_(Sha256Kind()) {
    source_.OnPiece([this](uint64_t at, std::string_view piece) { Take(at, piece); });
  }
  // Empty: it could not be read.
  std::string Finish() {
    source_.OnPiece(nullptr);
    std::string room;
    while (next_ < source_.Size()) {
      const std::string_view piece = source_.View(next_, SIZE_MAX, room);
      if (piece.empty()) return "";
      Take(next_, piece);
    }
    return digest_.Hex();
  }

 private:
  void Take(uint64_t at, std::string_view piece) {
    if (at != next_) return;
    digest_.Update(piece);
    next_ += piece.size();
  }

  FileSource& source_;
  Digest digest_;
  uint64_t next_ = 0;
};

const EVP_MD* DigestOf(size_t hex) {
  switch (hex) {
    case 32:
      return EVP_md5();
    case 40:
      return EVP_sha1();
    case 64:
      return Sha256Kind();
    case 128:
      return EVP_sha512();
  }
  return nullptr;
}

std::string HexDigest(Source& source, const EVP_MD* kind) {
  Digest digest(kind);
  std::string room;
  uint64_t at = 0;
  for (;;) {
    const std::string_view piece = source.View(at, 1 << 20, room);
    if (piece.empty()) return digest.Hex();
    digest.Update(piece);
    at += piece.size();
  }
}

// A manifest vouches for every byte, or speaks against the file; it does not say what is inside.
void Compare(const Job& job, Source& source, const std::string& sha256, Outcome& outcome) {
  const EVP_MD* kind = DigestOf(job.digest.size());
  if (kind == nullptr) return;
  const std::string found = job.digest.size() == sha256.size() ? sha256 : HexDigest(source, kind);
  std::vector<Finding>& findings = outcome.findings;
  if (found != job.digest) {
    const bool explained =
        std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.sign <= Sign::kTruncated; });
    if (!explained) {
      findings.push_back({Sign::kDamaged, job.name, 0,
                          Words("the checksum ", job.digest.substr(0, 16), "… of the manifest"),
                          Words(found.substr(0, 16), "…")});
    }
    outcome.extent.decoded = outcome.extent.checked = 0;
    return;
  }
  findings.erase(std::remove_if(findings.begin(), findings.end(), [](const Finding& f) { return f.quiet; }),
                 findings.end());
  if (findings.empty()) outcome.extent.decoded = outcome.extent.checked = outcome.extent.bytes;
}

// The folder of the last file, so that the way to it is not looked up for each.
class LastFolder {
 public:
  // As open(2).
  int Open(const std::string& path) {
    constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0) return open(path.c_str(), kHow);
    if (!fd_ || path.compare(0, slash, name_) != 0) {
      name_.assign(path, 0, slash);
      fd_.Reset(open(name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!fd_) return open(path.c_str(), kHow);  // A folder that may be passed through, and not read.
    }
    return openat(fd_.get(), path.c_str() + slash + 1, kHow);
  }
  void Close() { fd_.Reset(); }

 private:
  std::string name_;
  sdk::Fd fd_;
};

LastFolder& TheLastFolder() {
  static LastFolder folder;
  return folder;
}

JobOutcome OneFile(const Job& job, const std::function<void(uint64_t)>& progress) {
  static const auto decoders = AllDecoders();
  const int fd = TheLastFolder().Open(job.path);
  struct stat before {};
  if (fd < 0 || fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) {
    const std::string why = fd < 0 ? std::strerror(errno) : "no regular file";
    if (fd >= 0) close(fd);
    return Only(job, Sign::kUnreadable, "a file that can be opened", why);
  }
  if (const Stamp now = StampOf(before); job.looked && (now.size != job.stamp.size || now.modified_ns != job.stamp.modified_ns)) {
    close(fd);
    return Only(job, Sign::kUnreadable, "a file that nobody writes to", "one that changed after it was listed");
  }
  FileSource source(fd, static_cast<uint64_t>(before.st_size), progress);
  JobOutcome result;
  result.judged.files = 1;
  {
    std::optional<Fingerprint> fingerprint;
    if (job.hash) fingerprint.emplace(source);
    if (job.kind == kHashOnly) {
      result.judged.files = 0;
    } else {
      Examiner examiner(decoders);
      result.judged.outcome = examiner.Examine(source, job.name, source.Size());
    }
    if (fingerprint) result.sha256 = fingerprint->Finish();
  }
  if (!source.Error().empty()) {
    return Only(job, Sign::kUnreadable, "a file that can be read to its end", source.Error());
  }
  if (!job.digest.empty() && job.kind != kHashOnly) Compare(job, source, result.sha256, result.judged.outcome);
  struct stat after {};
  if (fstat(fd, &after) != 0 || after.st_size != before.st_size || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    return Only(job, Sign::kUnreadable, "a file that nobody writes to", "one that changed while it was read");
  }
  result.size = source.Size();
  result.modified_ns = StampOf(before).modified_ns;
  return result;
}

}  // namespace

void CloseFolder() { TheLastFolder().Close(); }

JobOutcome JudgeOne(const Job& job, const std::function<void(uint64_t)>& progress) {
  try {
    if (job.kind == "file" || job.kind == kHashOnly) return OneFile(job, progress);
    static const auto repositories = AllRepositories();
    for (const auto& repository : repositories) {
      if (job.kind == repository->name()) return {repository->Judge(job.path, job.name, progress), ""};
    }
    return Only(job, Sign::kUndecided, "a kind of repository that is known here", job.kind);
  } catch (const std::bad_alloc&) {
    return Only(job, Sign::kUndecided, "content that can be decoded within the memory limit", "one that wants more");
  } catch (const std::exception& problem) {
    return Only(job, Sign::kUndecided, "content that can be decoded", problem.what());
  }
}

}  // namespace reprise::backup
