// gzip, xz, zstd, bzip2: one content, compressed as a whole. The file is unpacked once, while what comes out is judged.
#include <algorithm>
#include <utility>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/codec.h"
#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// "a/x.sql.gz" → "x.sql", "x.tgz" → "x.tar", "x.csv.gz.locked" → "x.csv"
std::string InnerName(const std::string& name) {
  std::string_view base = BaseName(name);
  for (size_t dot = base.rfind('.'); dot != std::string_view::npos && dot > 0; dot = base.rfind('.')) {
    const std::string extension = Lower(base.substr(dot + 1));
    base = base.substr(0, dot);
    for (const char* packed : {"gz", "xz", "zst", "bz2"}) {
      if (extension == packed) return std::string(base);
    }
    for (const char* packed : {"tgz", "txz", "tzst", "tbz2"}) {
      if (extension == packed) return std::string(base) + ".tar";
    }
  }
  return "content";
}

class CompressedStream final : public Decoder {
 public:
  CompressedStream(const char* name, std::string magic, std::unique_ptr<Codec> (*codec)(), bool skips = false)
      : name_(name), magic_(std::move(magic)), codec_(codec), skips_(skips) {}

  const char* name() const override { return name_; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override {
    return StartsWith(head, magic_) || (skips_ && head.size() >= 8 && IsSkippable(head));
  }

  void Decode(Source& source, Report& report) const override {
    Unpacker unpacker(source, codec_(), report, Unpacker::Frames::kAll);
    FlowSource inner(unpacker);
    const size_t mark = report.Mark();
    const Extent inside = report.Inside(InnerName(report.name()), inner);
    inner.Drain();
    if (!unpacker.ended_well()) {
      report.ForgetSince(mark);
      unpacker.Tell(report);
      return;
    }
    const uint64_t size = source.Size();
    const bool checked = unpacker.codec().Checked();
    // Behind several frames there might have been one more: only a content that says where it ends tells.
    const bool open_end = unpacker.frames_ended() > 1 && !inside.ends;
    const uint64_t loose = std::min(size, unpacker.codec().Loose() + (open_end ? 1 : 0));
    const bool decoded = checked ? report.VouchSince(mark) : inside.decoded == inside.bytes;
    if (checked) {
      report.Checked(size - loose);
    } else if (inside.bytes > 0) {
      report.Checked(size * (static_cast<double>(inside.checked) / static_cast<double>(inside.bytes)));
    }
    if (!decoded) {
      const double share =
          inside.bytes == 0 ? 0 : static_cast<double>(inside.decoded) / static_cast<double>(inside.bytes);
      report.NotDecoded(std::max<uint64_t>(1, static_cast<uint64_t>(size * (1 - share))));
    }
  }

 private:
  const char* const name_;
  const std::string magic_;
  std::unique_ptr<Codec> (*const codec_)();
  const bool skips_;

  // A frame of zstd that is for other programs, as pzstd writes first.
  static bool IsSkippable(std::string_view head) {
    return (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeGzip() {
  return std::make_unique<CompressedStream>("gzip", "\x1f\x8b\x08", GzipCodec);
}
std::unique_ptr<Decoder> MakeXz() {
  return std::make_unique<CompressedStream>("xz",
                                            std::string("\xfd"
                                                        "7zXZ\0",
                                                        6),
                                            XzCodec);
}
std::unique_ptr<Decoder> MakeZstd() {
  return std::make_unique<CompressedStream>("zstd", "\x28\xb5\x2f\xfd", ZstdCodec, /*skips=*/true);
}
std::unique_ptr<Decoder> MakeBzip2() {
  return std::make_unique<CompressedStream>("bzip2", "BZh", Bzip2Codec);
}

}  // namespace reprise::backup
