#include "plugins/backup/formats/pdf_filters.h"

#include <cstdint>
#include <utility>

#include "plugins/backup/formats/codec.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

bool IsPdfSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0'; }

// Five letters for four bytes, "z" for four zeros, "~>" at the end.
bool Ascii85(std::string_view text, std::string& out) {
  uint64_t group = 0;
  size_t have = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsPdfSpace(c)) continue;
    if (c == '~') {
      for (size_t fill = have; have > 0 && fill < 5; ++fill) group = group * 85 + 84;
      for (size_t byte = 0; byte + 1 < have; ++byte) out += static_cast<char>(group >> (24 - 8 * byte));
      return have != 1 && Strip(text.substr(i + 1)) == ">";
    }
    if (c == 'z' && have == 0) {
      out.append(4, '\0');
      continue;
    }
    if (c < '!' || c > 'u') return false;
    group = group * 85 + static_cast<uint64_t>(c - '!');
    if (++have < 5) continue;
    if (group > 0xffffffff) return false;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(group >> shift);
    group = 0;
    have = 0;
  }
  return have != 1;  // Some writers leave the end out.
}

bool AsciiHex(std::string_view text, std::string& out) {
  int half = -1;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsPdfSpace(c)) continue;
    if (c == '>') {
      if (half >= 0) out += static_cast<char>(half << 4);
      return Strip(text.substr(i + 1)).empty();
    }
    const char low = static_cast<char>(c | 0x20);
    if (!IsDigit(c) && (low < 'a' || low > 'f')) return false;
    const int digit = IsDigit(c) ? c - '0' : low - 'a' + 10;
    if (half >= 0) out += static_cast<char>(half << 4 | digit);
    half = half >= 0 ? -1 : digit;
  }
  return true;
}

// Unpacks all of it in memory. What stands behind is the end of the line before "endstream", or padding.
Unfiltered Flate(std::string bytes, Report& report) {
  MemorySource packed(std::move(bytes));
  Unpacker unpacker(packed, ZlibCodec(), report, Unpacker::Frames::kOne);
  Unfiltered result;
  constexpr size_t kMax = size_t{256} << 20;
  while (unpacker.More(result.bytes)) {
    if (result.bytes.size() > kMax) return {Unfiltered::Kind::kTooLarge, "", ""};
  }
  if (unpacker.ended_well()) return result;
  result.kind = Unfiltered::Kind::kBroken;
  result.why = Words("data that zlib cannot unpack, or whose checksum does not agree, at ", unpacker.at(), " of ", packed.Size());
  return result;
}

}  // namespace

std::optional<Unfiltered> Unfilter(std::string bytes, const std::vector<std::string>& filters, Report& report) {
  Unfiltered result;
  result.bytes = std::move(bytes);
  for (size_t i = 0; i < filters.size(); ++i) {
    const std::string& filter = filters[i];
    std::string out;
    if (filter == "/DCTDecode" || filter == "/DCT") {
      if (i + 1 < filters.size()) return std::nullopt;
      result.kind = Unfiltered::Kind::kJpeg;
      return result;
    }
    if (filter == "/FlateDecode" || filter == "/Fl") {
      result = Flate(std::move(result.bytes), report);
      if (result.kind != Unfiltered::Kind::kPlain) return result;
    } else if (filter == "/ASCII85Decode" || filter == "/A85" || filter == "/ASCIIHexDecode" || filter == "/AHx") {
      const bool hex = filter == "/ASCIIHexDecode" || filter == "/AHx";
      const bool sound = hex ? AsciiHex(result.bytes, out) : Ascii85(result.bytes, out);
      if (!sound) return Unfiltered{Unfiltered::Kind::kBroken, std::move(out), Words("letters that ", filter.substr(1), " does not have")};
      result.bytes = std::move(out);
    } else {
      return std::nullopt;
    }
  }
  return result;
}

}  // namespace reprise::backup
