#include "plugins/mail/maildir_text.h"

#include <algorithm>
#include <vector>

namespace reprise::mail {

void CrlfWriter::Put(std::string_view piece) {
  std::string made;
  made.reserve(piece.size() + piece.size() / 32 + 2);
  for (const char c : piece) {
    if (c == '\n' && !after_cr_) made += '\r';
    made += c;
    after_cr_ = c == '\r';
  }
  if (!made.empty()) sink_(made);
}

void CrlfCounter::Put(std::string_view piece) {
  for (const char c : piece) {
    bytes_ += c == '\n' && !after_cr_ ? 2 : 1;
    after_cr_ = c == '\r';
  }
}

sdk::Fd OpenToRead(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
  sdk::Fd fd(open(path.c_str(), kFlags | O_NOATIME));
  // Of another user's file only its owner and root may say so.
  if (!fd && errno == EPERM) fd = sdk::Fd(open(path.c_str(), kFlags));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return fd;
  struct stat found {};
  const bool linked = !fd && errno == ELOOP;
  if (!fd && !linked) throw std::system_error(errno, std::generic_category(), "open a file of the store");
  if (linked || fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) {
    throw sdk::Error("not_a_file", "in the store is a link or a device where a file should be: it is not followed");
  }
  return fd;
}

void ReadPieces(int fd, uint64_t from, uint64_t to, const std::function<void(std::string_view)>& piece) {
  std::vector<char> buffer(std::min<uint64_t>(64 << 10, to - std::min(from, to)));
  while (from < to) {
    const ssize_t count = pread(fd, buffer.data(), std::min<uint64_t>(buffer.size(), to - from), static_cast<off_t>(from));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::system_error(errno, std::generic_category(), "read a file of the store");
    if (count == 0) return;
    piece({buffer.data(), static_cast<size_t>(count)});
    from += static_cast<uint64_t>(count);
  }
}

}  // namespace reprise::mail
