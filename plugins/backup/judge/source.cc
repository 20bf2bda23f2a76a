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

// The room of the last file, for the next one: to get and to clear a new one costs more than to read a small file into it.
std::unique_ptr<char[]>& SpareRoom() {
  static thread_local std::unique_ptr<char[]> spare;
  return spare;
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
    : fd_(fd), size_(size), progress_(std::move(progress)), room_(std::move(SpareRoom())) {
  if (!room_) room_ = std::make_unique_for_overwrite<char[]>(kPiece);
}

FileSource::~FileSource() {
  close(fd_);
  SpareRoom() = std::move(room_);
}

bool FileSource::Load(uint64_t at) {
  if (at >= piece_at_ && at < piece_at_ + piece_size_) return true;
  if (at >= size_) return false;
  piece_at_ = at / kPiece * kPiece;
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(kPiece, size_ - piece_at_));
  ssize_t got;
  do {
    got = pread(fd_, room_.get(), wanted, static_cast<off_t>(piece_at_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) error_ = std::strerror(errno);
  if (got >= 0 && static_cast<size_t>(got) < wanted) error_ = "the file became shorter while it was read";
  piece_size_ = static_cast<size_t>(std::max<ssize_t>(got, 0));
  if (progress_) progress_(piece_size_);
  if (heard_) heard_(piece_at_, piece());
  return at < piece_at_ + piece_size_;
}

size_t FileSource::Read(uint64_t offset, char* into, size_t count) {
  size_t done = 0;
  while (done < count && Load(offset + done)) done += Copy(piece(), offset + done - piece_at_, into + done, count - done);
  return done;
}

std::string_view FileSource::View(uint64_t offset, size_t count, std::string&) {
  if (count == 0 || !Load(offset)) return {};
  return piece().substr(static_cast<size_t>(offset - piece_at_), count);
}

std::string_view FileSource::Whole() {
  return size_ <= kPiece && Load(0) && error_.empty() ? piece() : std::string_view();
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

std::string_view SliceSource::Whole() {
  if (loaded_) return loaded_->Whole();
  const std::string_view all = whole_.Whole();
  return at_ + size_ <= all.size() ? all.substr(static_cast<size_t>(at_), static_cast<size_t>(size_)) : std::string_view();
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

void FlowSource::Reach(uint64_t offset, size_t count) {
  while (!ended_ && begin_ + kept_.size() < offset + count) {  // What is whole stays whole, whoever asks beyond its end.
    const uint64_t reached = std::min(offset, begin_ + kept_.size());
    if (kept_.size() > 4 * kBehind && reached > begin_ + kBehind) Forget(reached - kBehind);
    if (!Pull()) break;
  }
}

size_t FlowSource::Read(uint64_t offset, char* into, size_t count) {
  if (offset < begin_) return 0;
  Reach(offset, count);
  return Copy(kept_, offset - begin_, into, count);
}

std::string_view FlowSource::View(uint64_t offset, size_t count, std::string&) {
  if (offset < begin_) return {};
  Reach(offset, count);
  return std::string_view(kept_).substr(static_cast<size_t>(std::min<uint64_t>(offset - begin_, kept_.size())), count);
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
  if (!whole_.empty()) return whole_.substr(static_cast<size_t>(std::min<uint64_t>(at_, whole_.size())), count);
  if (window_.size() - used_ < count) {
    window_.erase(0, used_);
    used_ = 0;
    const size_t had = window_.size();
    // No larger than what is left: a window costs its clearing.
    const uint64_t left = source_.Random() ? source_.Size() - std::min(source_.Size(), at_ + had) : kWindow;
    const size_t more = static_cast<size_t>(std::min<uint64_t>(kWindow - had, left));
    window_.resize(had + more);
    window_.resize(had + source_.Read(at_ + had, window_.data() + had, more));
  }
  return std::string_view(window_).substr(used_, count);
}

std::string_view Reader::Take(size_t count) {
  const std::string_view bytes = Peek(count);
  if (whole_.empty()) used_ += bytes.size();
  at_ += bytes.size();
  return bytes;
}

std::string_view Reader::Some() {
  if (!whole_.empty()) return Take(whole_.size());
  if (used_ < window_.size()) return Take(window_.size() - used_);
  const std::string_view bytes = source_.View(at_, kWindow, window_);
  at_ += bytes.size();
  if (bytes.data() == window_.data()) window_.resize(bytes.size());
  used_ = window_.size();  // All of it, if it is in the window at all.
  return bytes;
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
