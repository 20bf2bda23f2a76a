#include "plugins/backup/formats/text_grammar.h"

#include <algorithm>
#include <array>

#include "plugins/backup/formats/encoding.h"
#include "plugins/backup/judge/statistics.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr size_t kLineMax = 64 << 10;
constexpr size_t kBegin = 64;
constexpr size_t kHead = 4096;
constexpr size_t kCodedMin = 256;

int DigitOf(char c, bool hex) {
  constexpr std::string_view kSixtyFour = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t at = hex ? std::string_view("0123456789abcdef").find(c) : kSixtyFour.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Lines of nothing but base64 or hexadecimal digits, and what they stand for looks random: whether it was compressed or encrypted,
// letters do not tell.
bool StandsForNoise(std::string_view head) {
  if (head.size() < kCodedMin) return false;
  for (const bool hex : {true, false}) {
    std::string bytes;
    unsigned have = 0, bits = 0;
    const unsigned wide = hex ? 4 : 6;
    bool all = true;
    for (const char c : head) {
      if (c == '\n' || c == '\r' || c == '=') continue;
      const int digit = DigitOf(c, hex);
      all = digit >= 0;
      if (!all) break;
      bits = bits << wide | static_cast<unsigned>(digit);
      if ((have += wide) < 8) continue;
      have -= 8;
      bytes += static_cast<char>(bits >> have);
      bits &= (1U << have) - 1;
    }
    if (all) return LookOf(bytes) == Look::kRandom || LooksLikeShortNoise(bytes);
  }
  return false;
}

// Two random bytes are such a mark once in 32,768 times; text has letters behind it, most of them of one alphabet: their upper
// halves are few.
bool LooksLikeWideText(std::string_view head) {
  const size_t upper = head[0] == '\xff' ? 1 : 0;
  std::array<bool, 256> seen{};
  size_t kinds = 0;
  for (size_t i = 2 + upper; i < std::min<size_t>(head.size(), 514); i += 2) {
    bool& one = seen[static_cast<unsigned char>(head[i])];
    kinds += one ? 0 : 1;
    one = true;
  }
  // Of 256 random ones some 160 differ; Chinese has some 80 upper halves, and does not use them evenly.
  return kinds <= 110;
}

}  // namespace

void ReadText(Source& source, Report& report, TextGrammar* grammar) {
  EncodingCheck encoding;
  if (grammar != nullptr && grammar->Mixed()) encoding.AllowMixed();
  Reader reader(source);
  std::string line;
  uint64_t line_at = 0;
  bool begins = true;
  bool coded = false;
  bool first = true;
  for (std::string_view piece = reader.Some(); !piece.empty(); piece = reader.Some()) {
    encoding.Feed(piece, /*last=*/source.Random() && reader.at() == source.Size());
    coded = first ? StandsForNoise(piece.substr(0, kHead)) : coded;
    first = false;
    if (grammar == nullptr || encoding.is_utf16()) continue;
    while (!piece.empty()) {
      if (begins && line.empty()) {
        const size_t taken = grammar->Lines(piece, line_at);
        line_at += taken;
        piece.remove_prefix(taken);
        if (piece.empty()) break;
      }
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
  const bool bytes = grammar != nullptr && grammar->HoldsBytes();
  if (!bytes) encoding.Tell(report);
  if (coded && report.clean() && (grammar == nullptr || !grammar->Mixed()))
    report.Undecided(0, "text", "letters that stand for random bytes (base64 or hexadecimal)");
  if (grammar == nullptr || encoding.is_utf16() || !report.clean()) return;
  if (EndsWith(line, "\x1a")) line.pop_back();  // DOS's end of a text.
  const bool ended = line.empty() && begins;
  if (!ended) grammar->Line(line, line_at, begins);
  grammar->End(report, reader.at(), ended);
  if (bytes && report.clean())
    report.Undecided(0, "text, and bytes in hexadecimal letters", "bytes as they are, between quotes (mysqldump without --hex-blob)");
}

bool LooksLikeText(std::string_view head) {
  if (head.substr(0, 2) == "\xff\xfe" || head.substr(0, 2) == "\xfe\xff") return LooksLikeWideText(head);
  // A program with much text in it has control characters at its beginning.
  if (CountText(head.substr(0, kBegin)).controls > 0) return false;
  const TextCounts counts = CountText(head);
  return counts.controls * 100 <= head.size() && counts.plain * 100 >= head.size() * 70;
}

}  // namespace reprise::backup
