#include "plugins/mail/migration_parcel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace reprise::mail {

void Parcel::Add(std::string_view piece) {
  hash_.Update(piece);
  bytes_ += piece.size();
  if (!file_ && memory_.size() + piece.size() <= kInMemory) {
    memory_ += piece;
    return;
  }
  if (!file_) {
    file_.Reset(open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file_ && (errno == EOPNOTSUPP || errno == EISDIR)) {
      // A file system without files without names: it has one for an instant.
      std::string name = (folder_ / "parcel-XXXXXX").string();
      file_.Reset(mkostemp(name.data(), O_CLOEXEC));
      if (file_) unlink(name.c_str());
    }
    if (!file_) sdk::ThrowErrno(errno, "make a file without a name in " + folder_.string());
    Write(memory_);
    memory_ = std::string();
  }
  Write(piece);
}

void Parcel::Write(std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t count = write(file_.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "write below " + folder_.string());
    piece.remove_prefix(static_cast<size_t>(count));
  }
}

const std::string& Parcel::Sha256() {
  if (sha256_.empty()) sha256_ = hash_.Hex();
  return sha256_;
}

std::function<void(const Sink&)> Parcel::Body() const {
  return [this](const Sink& sink) {
    if (!file_) {
      if (!memory_.empty()) sink(memory_);
      return;
    }
    char buffer[65536];
    for (uint64_t at = 0; at < bytes_;) {
      const ssize_t count = pread(file_.get(), buffer, sizeof buffer, static_cast<off_t>(at));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) sdk::ThrowErrno(count < 0 ? errno : EIO, "read a message back from below " + folder_.string());
      sink({buffer, static_cast<size_t>(count)});
      at += static_cast<uint64_t>(count);
    }
  };
}

}  // namespace reprise::mail
