#include "plugins/backup/formats/text_grammar.h"

#include "plugins/backup/formats/encoding.h"
#include "plugins/backup/judge/statistics.h"

namespace reprise::backup {
namespace {

constexpr size_t kLineMax = 64 << 10;
constexpr size_t kBegin = 64;

}  // namespace

void ReadText(Source& source, Report& report, TextGrammar* grammar) {
  EncodingCheck encoding;
  Reader reader(source);
  std::string line;
  uint64_t line_at = 0;
  bool begins = true;
  for (std::string_view piece = reader.Some(); !piece.empty(); piece = reader.Some()) {
    encoding.Feed(piece);
    if (grammar == nullptr || encoding.is_utf16()) continue;
    while (!piece.empty()) {
      const size_t newline = piece.find('\n');
      if (newline == std::string_view::npos) {
        line += piece;
        if (line.size() < kLineMax) break;
        grammar->Line(line, line_at, begins);
        line_at += line.size();
        begins = false;
        line.clear();
        break;
      }
      const uint64_t had = line.size();
      if (had == 0) {
        grammar->Line(piece.substr(0, newline), line_at, begins);
      } else {
        line += piece.substr(0, newline);
        grammar->Line(line, line_at, begins);
        line.clear();
      }
      line_at += had + newline + 1;
      begins = true;
      piece.remove_prefix(newline + 1);
    }
  }
  encoding.Tell(report);
  if (grammar == nullptr || encoding.is_utf16() || !report.clean()) return;
  const bool ended = line.empty() && begins;
  if (!ended) grammar->Line(line, line_at, begins);
  grammar->End(report, reader.at(), ended);
}

bool LooksLikeText(std::string_view head) {
  if (head.substr(0, 2) == "\xff\xfe" || head.substr(0, 2) == "\xfe\xff") return true;
  size_t plain = 0;
  size_t odd = 0;
  for (size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (byte >= 0x80) continue;
    if (!IsTextByte(byte) && i < kBegin) return false;  // A program with much text in it.
    ++(IsTextByte(byte) ? plain : odd);
  }
  return odd * 100 <= head.size() && plain * 100 >= head.size() * 70;
}

}  // namespace reprise::backup
