#include "agents/runner/sealed_plugins.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::runner {
namespace {

absl::Status Errno(const std::string& what) { return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno))); }

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

absl::StatusOr<int> SealedPlugins::Open(const std::string& sha256) {
  const auto known = std::find_if(kept_.begin(), kept_.end(), [&](const Sealed& s) { return s.sha256 == sha256; });
  if (known != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, known);
    return kept_.front().memory.get();
  }
  const std::filesystem::path path = cache_ / ToHex(sha256);
  Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("plugin ", ToHex(sha256), " is not in the cache"));
    return Errno(absl::StrCat("opening ", path.string()));
  }
  Fd memory(memfd_create("reprise-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return Errno("memory for the plugin");
  crypto::Sha256Hasher hasher;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Errno(absl::StrCat("reading ", path.string()));
    if (count == 0) break;
    const std::string_view piece(buffer.data(), static_cast<size_t>(count));
    hasher.Update(piece);
    if (!WriteAll(memory.get(), piece)) return Errno("memory for the plugin");
  }
  if (hasher.Finish() != sha256) {
    return absl::DataLossError(absl::StrCat("the content of ", path.string(), " is not what its name says"));
  }
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return Errno("sealing the plugin");
  }
  kept_.push_front({sha256, std::move(memory)});
  if (kept_.size() > kKeptMax) kept_.pop_back();
  return kept_.front().memory.get();
}

}  // namespace reprise::runner
