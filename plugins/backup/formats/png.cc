// PNG: every chunk under its CRC, IHDR first, IEND last, nothing behind it.
#include <zlib.h>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr std::string_view kPngMagic("\x89PNG\r\n\x1a\n", 8);

class Png final : public Decoder {
 public:
  const char* name() const override { return "png"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override { return head.substr(0, 8) == kPngMagic; }

  void Decode(Source& source, Report& report) const override {
    Reader reader(source, kPngMagic.size());
    bool first = true;
    bool data = false;
    for (;;) {
      const uint64_t at = reader.at();
      const std::string head(reader.Take(8));
      if (head.size() < 8) return report.Truncated(at, "a chunk, or IEND");
      uint64_t left = BigEndian(std::string_view(head).substr(0, 4));
      const std::string type = head.substr(4);
      for (const char c : type) {
        if ((c | 0x20) < 'a' || (c | 0x20) > 'z') return report.Damaged(at + 4, "the name of a chunk", HexOf(type));
      }
      if (first != (type == "IHDR") || left > 0x7fffffff)
        return report.Damaged(at, "IHDR first, and a possible size", HexOf(head));
      first = false;
      data = data || type == "IDAT";
      uLong crc = crc32(0, reinterpret_cast<const Bytef*>(type.data()), 4);
      while (left > 0) {
        const std::string_view piece = reader.Take(static_cast<size_t>(std::min<uint64_t>(left, 64 << 10)));
        if (piece.empty()) return report.Truncated(reader.at(), Words(left, " more bytes of ", type));
        crc = crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
        left -= piece.size();
      }
      const std::string_view sum = reader.Take(4);
      if (sum.size() < 4) return report.Truncated(reader.at(), Words("the CRC of ", type));
      if (BigEndian(sum) != crc) {
        return report.Damaged(at, Words("the chunk ", type, " with CRC ", Hex8(BigEndian(sum))),
                              Words("CRC ", Hex8(crc)));
      }
      if (type == "IEND") break;
    }
    if (!data) return report.Damaged(0, "image data (IDAT)", "none");
    if (!reader.AtEnd()) return report.Damaged(reader.at(), "the end of the file behind IEND", HexOf(reader.Peek(16)));
    report.CheckedAll();
  }
};

}  // namespace

std::unique_ptr<Decoder> MakePng() {
  return std::make_unique<Png>();
}

}  // namespace reprise::backup
