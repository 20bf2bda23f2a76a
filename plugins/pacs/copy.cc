#include "plugins/pacs/copy.h"

#include <sys/statvfs.h>

#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::pacs {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

constexpr uint64_t kReserve = 64 << 20;  // Left free, for the index and the host itself.

bool IsThere(const fs::path& path, uint64_t bytes) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && static_cast<uint64_t>(found.st_size) == bytes;
}

// Under a name of its own first, so that a file with its length is a whole one.
void CopyFile(const sdk::Context& context, const fs::path& from, const fs::path& to, std::vector<char>& buffer) {
  const fs::path unfinished = to.string() + ".copying";
  const sdk::Fd in(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!in) sdk::ThrowErrno(errno, "open " + from.string());
  const sdk::Fd out(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0400));
  if (!out) sdk::ThrowErrno(errno, "create " + unfinished.string());
  for (;;) {
    context.ThrowIfCancelled();
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read " + from.string());
    if (count == 0) break;
    for (ssize_t done = 0; done < count;) {
      const ssize_t written = write(out.get(), buffer.data() + done, static_cast<size_t>(count - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) sdk::ThrowErrno(errno, "write " + unfinished.string());
      done += written;
    }
  }
  if (rename(unfinished.c_str(), to.c_str()) != 0) sdk::ThrowErrno(errno, "rename " + unfinished.string());
}

}  // namespace

void CopyPoint(const sdk::Context& context, const sdk::Manifest& manifest,
               const std::function<fs::path(const std::string&)>& from, const fs::path& into) {
  fs::create_directories(into);
  fs::permissions(into, fs::perms::owner_all);
  uint64_t lacking = 0;
  for (const sdk::ManifestFile& file : manifest.files) lacking += IsThere(into / file.path, file.bytes) ? 0 : file.bytes;
  struct statvfs room {};
  if (statvfs(into.c_str(), &room) != 0) sdk::ThrowErrno(errno, "look at " + into.string());
  const uint64_t free = room.f_bavail * room.f_frsize;
  if (lacking > 0 && free < lacking + kReserve) {
    throw Error("disk_full", into.string() + " has " + std::to_string(free >> 20) + " MB left, the copy needs " +
                                 std::to_string((lacking + kReserve) >> 20) + " MB",
                "mount a larger disk there, or free space, then retry the run");
  }
  std::vector<char> buffer(1 << 20);
  uint64_t done = 0;
  const uint64_t all = manifest.Bytes();
  for (size_t i = 0; i < manifest.files.size(); ++i) {
    const sdk::ManifestFile& file = manifest.files[i];
    if (!IsThere(into / file.path, file.bytes)) {
      fs::create_directories((into / file.path).parent_path());
      CopyFile(context, from(file.path), into / file.path, buffer);
    }
    done += file.bytes;
    if (i % 100 == 0) context.Progress(0.4 + 0.4 * (all == 0 ? 1 : double(done) / double(all)), "copying: " + std::to_string(i) + " of " + std::to_string(manifest.files.size()) + " files");
  }
  // All at once: one flush for each of a million files would take hours.
  const sdk::Fd folder(open(into.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || syncfs(folder.get()) != 0) sdk::ThrowErrno(errno, "sync " + into.string());
}

}  // namespace reprise::pacs
