#include "plugins/backup/worker/judge_one.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/examiner.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

RepositoryOutcome Only(const Job& job, Sign sign, std::string expected, std::string found) {
  RepositoryOutcome result;
  result.outcome.format = "unknown";
  result.outcome.extent.bytes = std::max<uint64_t>(job.size, 1);
  result.outcome.findings = {{sign, job.name, 0, std::move(expected), std::move(found)}};
  result.files = 1;
  return result;
}

const EVP_MD* DigestOf(size_t hex) {
  switch (hex) {
    case 32:
      return EVP_md5();
    case 40:
      return EVP_sha1();
    case 64:
      return EVP_sha256();
    case 128:
      return EVP_sha512();
  }
  return nullptr;
}

std::string HexDigest(Source& source, const EVP_MD* kind) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), kind, nullptr);
  Reader reader(source);
  for (std::string_view piece = reader.Some(); !piece.empty(); piece = reader.Some()) {
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

// A manifest vouches for every byte, or speaks against the file; it does not say what is inside.
void Compare(const Job& job, Source& source, Outcome& outcome) {
  const EVP_MD* kind = DigestOf(job.digest.size());
  if (kind == nullptr) return;
  const std::string found = HexDigest(source, kind);
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

RepositoryOutcome OneFile(const Job& job, const std::function<void(uint64_t)>& progress) {
  static const auto decoders = AllDecoders();
  const int fd = open(job.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  struct stat before {};
  if (fd < 0 || fstat(fd, &before) != 0 || !S_ISREG(before.st_mode)) {
    const std::string why = fd < 0 ? std::strerror(errno) : "no regular file";
    if (fd >= 0) close(fd);
    return Only(job, Sign::kUnreadable, "a file that can be opened", why);
  }
  FileSource source(fd, static_cast<uint64_t>(before.st_size), progress);
  Examiner examiner(decoders);
  RepositoryOutcome result;
  result.files = 1;
  result.outcome = examiner.Examine(source, job.name, source.Size());
  if (!job.digest.empty()) Compare(job, source, result.outcome);
  struct stat after {};
  if (fstat(fd, &after) != 0 || after.st_size != before.st_size || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    return Only(job, Sign::kUnreadable, "a file that nobody writes to", "one that changed while it was read");
  }
  return result;
}

}  // namespace

RepositoryOutcome JudgeOne(const Job& job, const std::function<void(uint64_t)>& progress) {
  try {
    if (job.kind == "file") return OneFile(job, progress);
    static const auto repositories = AllRepositories();
    for (const auto& repository : repositories) {
      if (job.kind == repository->name()) return repository->Judge(job.path, job.name, progress);
    }
    return Only(job, Sign::kUndecided, "a kind of repository that is known here", job.kind);
  } catch (const std::bad_alloc&) {
    return Only(job, Sign::kUndecided, "content that can be decoded within the memory limit", "one that wants more");
  } catch (const std::exception& problem) {
    return Only(job, Sign::kUndecided, "content that can be decoded", problem.what());
  }
}

}  // namespace reprise::backup
