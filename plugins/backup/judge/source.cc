#include "plugins/backup/judge/source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace reprise::backup {
namespace {

size_t Copy(std::string_view from, uint64_t offset, char* into, size_t count) {
  if (offset >= from.size()) return 0;
  const size_t there = std::min<size_t>(count, from.size() - offset);
  std::memcpy(into, from.data() + offset, there);
  return there;
}

}  // namespace

std::string Source::ReadString(uint64_t offset, size_t count) {
  std::string bytes(count, '\0');
  bytes.resize(Read(offset, bytes.data(), count));
  return bytes;
}

std::string_view Source::View(uint64_t offset, size_t count, std::string& room) {
  room.resize(count);
  return {room.data(), Read(offset, room.data(), count)};
}

FileSource::FileSource(int fd, uint64_t size, std::function<void(uint64_t)> progress)
    : fd_(fd), size_(size), progress_(std::move(progress)) {}

FileSource::~FileSource() {
  close(fd_);
}

bool FileSource::Load(uint64_t at) {
  if (at >= piece_at_ && at < piece_at_ + piece_.size()) return true;
  if (at >= size_) return false;
  piece_at_ = at / kPiece * kPiece;
  piece_.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, size_ - piece_at_)));
  ssize_t got;
  do {
    got = pread(fd_, piece_.data(), piece_.size(), static_cast<off_t>(piece_at_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) error_ = std::strerror(errno);
  if (got >= 0 && static_cast<size_t>(got) < piece_.size()) error_ = "the file became shorter while it was read";
  piece_.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (progress_) progress_(piece_.size());
  if (heard_) heard_(piece_at_, piece_);
  return at < piece_at_ + piece_.size();
}

size_t FileSource::Read(uint64_t offset, char* into, size_t count) {
  size_t done = 0;
  while (done < count && Load(offset + done)) done += Copy(piece_, offset + done - piece_at_, into + done, count - done);
  return done;
}

std::string_view FileSource::View(uint64_t offset, size_t count, std::string&) {
  if (count == 0 || !Load(offset)) return {};
  return std::string_view(piece_).substr(static_cast<size_t>(offset - piece_at_), count);
}

size_t MemorySource::Read(uint64_t offset, char* into, size_t count) {
  return Copy(bytes_, offset, into, count);
}

size_t SliceSource::Read(uint64_t offset, char* into, size_t count) {
  if (offset >= size_) return 0;
  if (loaded_) return loaded_->Read(offset, into, count);
  return whole_.Read(at_ + offset, into, static_cast<size_t>(std::min<uint64_t>(count, size_ - offset)));
}

std::string_view SliceSource::View(uint64_t offset, size_t count, std::string& room) {
  if (offset >= size_) return {};
  if (loaded_) return loaded_->View(offset, count, room);
  return whole_.View(at_ + offset, static_cast<size_t>(std::min<uint64_t>(count, size_ - offset)), room);
}

bool SliceSource::Settle(size_t max) {
  if (!Random() && size_ <= max) {
    loaded_ = std::make_unique<MemorySource>(whole_.ReadString(at_, static_cast<size_t>(size_)));
  }
  return Random();
}

bool FlowSource::Pull() {
  if (!ended_) ended_ = !flow_.More(kept_);
  return !ended_;
}

void FlowSource::Forget(uint64_t before) {
  if (before <= begin_) return;
  const size_t count = static_cast<size_t>(std::min<uint64_t>(before - begin_, kept_.size()));
  if (count < kBehind) return;  // In large steps: what stays is moved.
  kept_.erase(0, count);
  begin_ += count;
}

size_t FlowSource::Read(uint64_t offset, char* into, size_t count) {
  if (offset < begin_) return 0;
  while (begin_ + kept_.size() < offset + count) {
    const uint64_t reached = std::min(offset, begin_ + kept_.size());
    if (kept_.size() > 4 * kBehind && reached > begin_ + kBehind) Forget(reached - kBehind);
    if (!Pull()) break;
  }
  return Copy(kept_, offset - begin_, into, count);
}

bool FlowSource::Settle(size_t max) {
  while (begin_ == 0 && kept_.size() < max && Pull()) {
  }
  return Random();
}

void FlowSource::Drain() {
  while (Pull()) Forget(begin_ + kept_.size());
}

std::string_view Reader::Peek(size_t count) {
  if (window_.size() - used_ < count) {
    window_.erase(0, used_);
    used_ = 0;
    const size_t had = window_.size();
    // No larger than what is left: most files are small, and a window costs its clearing.
    const uint64_t left = source_.Random() ? source_.Size() - std::min(source_.Size(), at_ + had) : kWindow;
    const size_t more = static_cast<size_t>(std::min<uint64_t>(kWindow - had, left));
    window_.resize(had + more);
    window_.resize(had + source_.Read(at_ + had, window_.data() + had, more));
  }
  return std::string_view(window_).substr(used_, count);
}

std::string_view Reader::Take(size_t count) {
  const std::string_view bytes = Peek(count);
  used_ += bytes.size();
  at_ += bytes.size();
  return bytes;
}

std::string_view Reader::Some() {
  Peek(1);
  return Take(window_.size() - used_);
}

void Reader::Skip(uint64_t count) {
  at_ += count;
  if (count < window_.size() - used_) {
    used_ += static_cast<size_t>(count);
  } else {
    window_.clear();
    used_ = 0;
  }
}

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace reprise::backup
