// Bytes to be decoded: a file, a piece of memory, a part of another source, or what comes out of a decompressor.
// Not thread-safe: one owner. A source outlives the slices of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace reprise::backup {

class Source {
 public:
  static constexpr size_t kSettleMax = size_t{256} << 20;
  virtual ~Source() = default;
  // Fewer than `count` only where the content ends, or cannot be read (Error() then says why).
  virtual size_t Read(uint64_t offset, char* into, size_t count) = 0;
  // True: Read takes any offset, and Size is the size. False: only forward, the end shows when it comes.
  virtual bool Random() const = 0;
  // Makes it so by keeping at most `max` bytes in memory, if that is enough. REQUIRES: read no further than 64 KiB.
  virtual bool Settle(size_t max = kSettleMax) = 0;
  // REQUIRES: Random(), or read to its end.
  virtual uint64_t Size() = 0;
  // Empty: nothing failed so far.
  virtual std::string Error() const { return ""; }

  std::string ReadString(uint64_t offset, size_t count);
  // At least one byte and at most `count`, without a copy where they are in memory already, else in `room`. Empty: the
  // end. Valid until the next call of anything here.
  virtual std::string_view View(uint64_t offset, size_t count, std::string& room);
  // All of it, if it is in memory and stays there as it is, as long as the source: most files are small. Empty: it does not, or
  // there is nothing.
  virtual std::string_view Whole() { return {}; }
};

// An open file, read in large pieces. `progress` hears of each piece that was read from the disk.
class FileSource final : public Source {
 public:
  // Takes the descriptor.
  FileSource(int fd, uint64_t size, std::function<void(uint64_t)> progress);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  size_t Read(uint64_t offset, char* into, size_t count) override;
  bool Random() const override { return true; }
  bool Settle(size_t) override { return true; }
  uint64_t Size() override { return size_; }
  std::string Error() const override { return error_; }
  std::string_view View(uint64_t offset, size_t count, std::string& room) override;
  std::string_view Whole() override;

  // Hears each piece that was read, and where it stands; a decoder may have any piece read several times, and in any order.
  void OnPiece(std::function<void(uint64_t at, std::string_view piece)> heard) { heard_ = std::move(heard); }

 private:
  bool Load(uint64_t at);
  std::string_view piece() const { return {room_.get(), piece_size_}; }

  static constexpr size_t kPiece = 1 << 20;
  const int fd_;
  const uint64_t size_;
  const std::function<void(uint64_t)> progress_;
  std::function<void(uint64_t, std::string_view)> heard_;
  std::unique_ptr<char[]> room_;  // Of kPiece bytes.
  size_t piece_size_ = 0;
  uint64_t piece_at_ = 0;
  std::string error_;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  size_t Read(uint64_t offset, char* into, size_t count) override;
  bool Random() const override { return true; }
  bool Settle(size_t) override { return true; }
  uint64_t Size() override { return bytes_.size(); }
  std::string_view View(uint64_t offset, size_t count, std::string&) override {
    return std::string_view(bytes_).substr(static_cast<size_t>(std::min<uint64_t>(offset, bytes_.size())), count);
  }
  std::string_view Whole() override { return bytes_; }
  std::string_view view() const { return bytes_; }

 private:
  const std::string bytes_;
};

// `size` bytes of another, from `at`.
class SliceSource final : public Source {
 public:
  SliceSource(Source& whole, uint64_t at, uint64_t size) : whole_(whole), at_(at), size_(size) {}
  size_t Read(uint64_t offset, char* into, size_t count) override;
  bool Random() const override { return loaded_ || whole_.Random(); }
  bool Settle(size_t max) override;
  uint64_t Size() override { return size_; }
  std::string Error() const override { return whole_.Error(); }
  std::string_view View(uint64_t offset, size_t count, std::string& room) override;
  std::string_view Whole() override;

 private:
  Source& whole_;
  const uint64_t at_;
  const uint64_t size_;
  std::unique_ptr<MemorySource> loaded_;
};

// What gives its bytes one after the other.
class Flow {
 public:
  virtual ~Flow() = default;
  // Appends some bytes. False: nothing more comes.
  virtual bool More(std::string& into) = 0;
};

// A flow as a source: keeps the last bytes so that decoders may look back a little, and all of them while they are few,
// so that small contents can be read in any order.
class FlowSource final : public Source {
 public:
  static constexpr size_t kBehind = size_t{1} << 20;

  explicit FlowSource(Flow& flow) : flow_(flow) {}
  size_t Read(uint64_t offset, char* into, size_t count) override;
  bool Random() const override { return begin_ == 0 && ended_; }
  bool Settle(size_t max) override;
  uint64_t Size() override { return begin_ + kept_.size(); }
  std::string_view View(uint64_t offset, size_t count, std::string& room) override;
  std::string_view Whole() override { return Random() ? std::string_view(kept_) : std::string_view(); }
  // Reads what is left, and drops it.
  void Drain();

 private:
  bool Pull();
  // Until these bytes are here, or no more come.
  void Reach(uint64_t offset, size_t count);
  void Forget(uint64_t before);

  Flow& flow_;
  std::string kept_;
  uint64_t begin_ = 0;  // Offset of kept_'s first byte.
  bool ended_ = false;
};

// Bytes of a source one by one or in a row, for grammars that go forward. Nobody else reads from the source between a call
// of Some and the last look at what it gave.
class Reader {
 public:
  explicit Reader(Source& source, uint64_t at = 0) : source_(source), whole_(source.Whole()), at_(at) {}
  // Looks at the next bytes without taking them: fewer only at the end. Valid until the next call. REQUIRES: count ≤ 64
  // KiB.
  std::string_view Peek(size_t count);
  std::string_view Take(size_t count);
  // As much as there is at once; empty: the end.
  std::string_view Some();
  void Skip(uint64_t count);
  uint64_t at() const { return at_; }
  bool AtEnd() { return Peek(1).empty(); }

 private:
  static constexpr size_t kWindow = 256 << 10;
  Source& source_;
  const std::string_view whole_;  // Nothing is copied where it is there.
  uint64_t at_;
  std::string window_;
  size_t used_ = 0;
};

// Numbers as files have them.
uint64_t LittleEndian(std::string_view bytes);
uint64_t BigEndian(std::string_view bytes);

}  // namespace reprise::backup
