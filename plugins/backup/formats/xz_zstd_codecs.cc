#include <lzma.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "plugins/backup/formats/codec.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kLzmaMemoryMax = uint64_t{256} << 20;

class Unxz final : public Codec {
 public:
  ~Unxz() override { lzma_end(&stream_); }
  bool Begin(std::string_view head) override {
    if (head.substr(0, 6) != std::string_view("\xfd"
                                              "7zXZ\0",
                                              6))
      return false;
    return lzma_stream_decoder(&stream_, kLzmaMemoryMax, LZMA_TELL_NO_CHECK) == LZMA_OK;
  }
  Step Run(std::string_view& in, std::string& out) override {
    const size_t had = out.size();
    out.resize(had + kUnpackPiece);
    stream_.next_in = reinterpret_cast<const uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(out.data() + had);
    stream_.avail_out = kUnpackPiece;
    code_ = lzma_code(&stream_, LZMA_RUN);
    if (code_ == LZMA_NO_CHECK) {  // Said once, after the header; the content can still be unpacked.
      checked_ = false;
      code_ = lzma_code(&stream_, LZMA_RUN);
    }
    in.remove_prefix(in.size() - stream_.avail_in);
    out.resize(had + kUnpackPiece - stream_.avail_out);
    if (code_ == LZMA_STREAM_END) return Step::kFrameEnd;
    if (code_ == LZMA_MEMLIMIT_ERROR) return Step::kTooLarge;
    return code_ == LZMA_OK || code_ == LZMA_BUF_ERROR ? Step::kMore : Step::kBroken;
  }
  std::string Why() const override {
    if (code_ == LZMA_MEMLIMIT_ERROR) return "a window of more than 256 MiB";
    return code_ == LZMA_DATA_ERROR ? "data or a check that does not agree" : "not xz's data";
  }
  bool Checked() const override { return checked_; }
  uint64_t Padding() const override { return 4; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret code_ = LZMA_OK;
  bool checked_ = true;
};

class Unzstd final : public Codec {
 public:
  Unzstd() : stream_(ZSTD_createDStream(), ZSTD_freeDStream) {}
  bool Begin(std::string_view head) override {
    if (head.size() < 5) return false;
    const uint64_t magic = LittleEndian(head.substr(0, 4));
    const bool skippable = (magic & 0xfffffff0) == 0x184d2a50;
    if (magic != 0xfd2fb528 && !skippable) return false;
    // The frame header's bit 2 says whether a checksum follows the data; bit 4 has no meaning yet. Nothing vouches for what is
    // skipped.
    const auto flags = static_cast<unsigned char>(head[4]);
    if (!skippable && (flags & 4) == 0) checked_ = false;
    if (!skippable && (flags & 0x10) != 0) ++loose_;
    if (skippable && head.size() >= 8) loose_ += 8 + LittleEndian(head.substr(4, 4));
    return !ZSTD_isError(ZSTD_initDStream(stream_.get()));
  }
  Step Run(std::string_view& in, std::string& out) override {
    const size_t had = out.size();
    out.resize(had + kUnpackPiece);
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data() + had, kUnpackPiece, 0};
    const size_t code = ZSTD_decompressStream(stream_.get(), &to, &from);
    in.remove_prefix(from.pos);
    out.resize(had + to.pos);
    if (ZSTD_isError(code)) {
      why_ = ZSTD_getErrorName(code);
      const ZSTD_ErrorCode kind = ZSTD_getErrorCode(code);
      if (kind == ZSTD_error_frameParameter_windowTooLarge || kind == ZSTD_error_memory_allocation) return Step::kTooLarge;
      return Step::kBroken;
    }
    return code == 0 ? Step::kFrameEnd : Step::kMore;
  }
  std::string Why() const override { return why_; }
  bool Checked() const override { return checked_; }
  uint64_t Loose() const override { return loose_; }

 private:
  uint64_t loose_ = 0;
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  std::string why_;
  bool checked_ = true;
};

}  // namespace

std::unique_ptr<Codec> XzCodec() {
  return std::make_unique<Unxz>();
}
std::unique_ptr<Codec> ZstdCodec() {
  return std::make_unique<Unzstd>();
}

}  // namespace reprise::backup
