#include <bzlib.h>
#include <zlib.h>

#include <algorithm>

#include "plugins/backup/formats/codec.h"

namespace reprise::backup {
namespace {

class Inflate final : public Codec {
 public:
  // As zlib's windowBits: 31 gzip, 15 zlib, -15 raw.
  explicit Inflate(int window_bits) : gzip_(window_bits == 31), raw_(window_bits < 0) {
    ready_ = inflateInit2(&stream_, window_bits) == Z_OK;
  }
  ~Inflate() override { inflateEnd(&stream_); }

  bool Begin(std::string_view head) override {
    if (gzip_ && head.substr(0, 2) != "\x1f\x8b") return false;
    if (gzip_) loose_ |= LooseIn(head);
    return ready_ && inflateReset(&stream_) == Z_OK;
  }
  Step Run(std::string_view& in, std::string& out) override {
    const size_t had = out.size();
    out.resize(had + kUnpackPiece);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream_.avail_out = kUnpackPiece;
    // Stops behind each block: of the last one's last byte some bits mean nothing, and are zero where nobody changed them.
    const int code = inflate(&stream_, Z_BLOCK);
    if ((stream_.data_type & 0xc0) == 0xc0 && stream_.avail_in < in.size() && stream_.next_in[-1] >> (8 - (stream_.data_type & 7)) != 0)
      loose_ |= 1;
    in.remove_prefix(in.size() - stream_.avail_in);
    out.resize(had + kUnpackPiece - stream_.avail_out);
    if (code == Z_STREAM_END) return Step::kFrameEnd;
    return code == Z_OK || code == Z_BUF_ERROR ? Step::kMore : Step::kBroken;
  }
  std::string Why() const override { return stream_.msg != nullptr ? stream_.msg : "not deflated data"; }
  bool Checked() const override { return !raw_; }
  uint64_t Loose() const override { return loose_; }

 private:
  // A header has no checksum of its own. One without name and time has one of few values, of which no two differ in one bit
  // only: (level, system) of `gzip`, of Python's and of Java's writers.
  static uint64_t LooseIn(std::string_view head) {
    const bool plain = head.size() >= 10 && head.substr(2, 6) == std::string_view("\x08\0\0\0\0\0", 6);
    const std::string_view writer = head.substr(std::min<size_t>(head.size(), 8), 2);
    if (plain && (writer == std::string_view("\0\3", 2) || writer == "\2\xff" || writer == std::string_view("\0\0", 2))) return 0;
    return 10;  // All of it.
  }

  const bool gzip_;
  const bool raw_;
  bool ready_ = false;
  uint64_t loose_ = 0;
  z_stream stream_{};
};

class Bunzip2 final : public Codec {
 public:
  ~Bunzip2() override { BZ2_bzDecompressEnd(&stream_); }
  bool Begin(std::string_view head) override {
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    if (head.size() > 3 && head[3] != '9') ++loose_;  // The size of its blocks: any that is large enough unpacks.
    return head.substr(0, 3) == "BZh" && BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }
  Step Run(std::string_view& in, std::string& out) override {
    const size_t had = out.size();
    out.resize(had + kUnpackPiece);
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = out.data() + had;
    stream_.avail_out = kUnpackPiece;
    code_ = BZ2_bzDecompress(&stream_);
    in.remove_prefix(in.size() - stream_.avail_in);
    out.resize(had + kUnpackPiece - stream_.avail_out);
    if (code_ == BZ_STREAM_END) return Step::kFrameEnd;
    return code_ == BZ_OK ? Step::kMore : Step::kBroken;
  }
  std::string Why() const override { return code_ == BZ_DATA_ERROR ? "a CRC that does not agree" : "not bzip2's data"; }
  bool Checked() const override { return true; }
  uint64_t Loose() const override { return loose_; }

 private:
  uint64_t loose_ = 0;
  bz_stream stream_{};
  int code_ = 0;
};

}  // namespace

std::unique_ptr<Codec> GzipCodec() {
  return std::make_unique<Inflate>(31);
}
std::unique_ptr<Codec> ZlibCodec() {
  return std::make_unique<Inflate>(15);
}
std::unique_ptr<Codec> RawDeflateCodec() {
  return std::make_unique<Inflate>(-15);
}
std::unique_ptr<Codec> Bzip2Codec() {
  return std::make_unique<Bunzip2>();
}

}  // namespace reprise::backup
