// GIF: its blocks up to the trailer. The picture itself is not unpacked, so that a GIF is never called sound.
#include "plugins/backup/formats/all.h"

namespace reprise::backup {
namespace {

// A colour table, if the flags say that there is one.
uint64_t TableSize(unsigned char flags) {
  return (flags & 0x80) != 0 ? uint64_t{3} << ((flags & 7) + 1) : 0;
}

class Gif final : public Decoder {
 public:
  const char* name() const override { return "gif"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override {
    return head.substr(0, 6) == "GIF87a" || head.substr(0, 6) == "GIF89a";
  }

  void Decode(Source& source, Report& report) const override {
    Reader reader(source);
    const std::string screen(reader.Take(13));
    if (screen.size() < 13) return report.Truncated(reader.at(), "the screen's description");
    reader.Skip(TableSize(static_cast<unsigned char>(screen[10])));
    for (;;) {
      const uint64_t at = reader.at();
      const std::string kind(reader.Take(1));
      if (kind.empty()) break;  // Some writers leave the trailer out.
      if (kind == ";") break;
      if (kind == ",") {
        const std::string picture(reader.Take(9));
        if (picture.size() < 9) return report.Truncated(at, "a picture's description");
        reader.Skip(TableSize(static_cast<unsigned char>(picture[8])) + 1);
      } else if (kind == "!") {
        reader.Skip(1);
      } else {
        return report.Damaged(at, "a block, or the trailer", HexOf(kind));
      }
      for (;;) {
        const std::string size(reader.Take(1));
        if (size.empty()) return report.Truncated(reader.at(), "a part of a block");
        if (size[0] == 0) break;
        reader.Skip(static_cast<unsigned char>(size[0]));
      }
    }
    report.Undecided(0, "a picture that can be unpacked", "GIF's blocks are whole; its pictures are not unpacked here");
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeGif() {
  return std::make_unique<Gif>();
}

}  // namespace reprise::backup
