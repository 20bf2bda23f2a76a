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
    return ready_ && inflateReset(&stream_) == Z_OK;
  }
  Step Run(std::string_view& in, std::string& out) override {
    const size_t had = out.size();
    out.resize(had + kUnpackPiece);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream_.avail_out = kUnpackPiece;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    out.resize(had + kUnpackPiece - stream_.avail_out);
    if (code == Z_STREAM_END) return Step::kFrameEnd;
    return code == Z_OK || code == Z_BUF_ERROR ? Step::kMore : Step::kBroken;
  }
  std::string Why() const override { return stream_.msg != nullptr ? stream_.msg : "not deflated data"; }
  bool Checked() const override { return !raw_; }

 private:
  const bool gzip_;
  const bool raw_;
  bool ready_ = false;
  z_stream stream_{};
};

class Bunzip2 final : public Codec {
 public:
  ~Bunzip2() override { BZ2_bzDecompressEnd(&stream_); }
  bool Begin(std::string_view head) override {
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
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

 private:
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
