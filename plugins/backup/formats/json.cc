// JSON to its last bracket; JSON lines, each of them a value.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/json_check.h"
#include "plugins/backup/formats/text_grammar.h"
#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

using nlohmann::json;

// A source as the parser wants it: one byte after the other.
class Bytes {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Bytes() = default;
  explicit Bytes(Reader& reader) : reader_(&reader) { Next(); }
  reference operator*() const { return piece_[used_]; }
  Bytes& operator++() {
    if (++used_ == piece_.size()) Next();
    return *this;
  }
  bool operator==(const Bytes& other) const { return piece_.empty() == other.piece_.empty(); }
  bool operator!=(const Bytes& other) const { return !(*this == other); }

 private:
  void Next() {
    piece_ = reader_->Some();
    used_ = 0;
  }
  Reader* reader_ = nullptr;
  std::string_view piece_;
  size_t used_ = 0;
};

// Takes every event and keeps none; remembers where it broke.
struct Taker final : json::json_sax_t {
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string& last, const json::exception& error) override {
    at = position > 0 ? position - 1 : 0;
    token = last;
    what = error.what();
    return false;
  }
  size_t at = 0;
  std::string token;
  std::string what;
};

bool LooksLikeJson(std::string_view head) {
  head = StripLeft(head);
  if (head.empty() || (head[0] != '{' && head[0] != '[') || !LooksLikeText(head)) return false;
  const std::string_view next = StripLeft(head.substr(1));
  return next.empty() || next[0] == '"' || next[0] == '}' || next[0] == ']' || next[0] == '{' || next[0] == '[' ||
         (next[0] >= '0' && next[0] <= '9');
}

void AppendUtf8(uint32_t character, std::string& to) {
  if (character < 0x80) {
    to += static_cast<char>(character);
    return;
  }
  const int later = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  constexpr unsigned kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  to += static_cast<char>(kLeads[later] | character >> (6 * later));
  for (int i = later - 1; i >= 0; --i) to += static_cast<char>(0x80 | (character >> (6 * i) & 0x3f));
}

// Top-level numbers end where the content does.
bool IsWhole(Source& source) {
  JsonCheck check;
  std::string room;
  uint64_t at = 0;
  for (;;) {
    const std::string_view piece = source.View(at, 1 << 20, room);
    if (piece.empty()) return source.Error().empty() && check.Feed("\n") && check.Whole();
    if (!check.Feed(piece)) return false;
    at += piece.size();
  }
}

bool IsValue(std::string_view text) {
  JsonCheck check;
  return (check.Feed(text) && check.Feed("\n") && check.Whole()) || json::accept(text.begin(), text.end());
}

class LineValues final : public TextGrammar {
 public:
  void Line(std::string_view line, uint64_t at, bool begins) override {
    whole_ = begins;
    if (!begins || Strip(line).empty()) return;
    last_at_ = at;
    last_bad_ = !IsValue(line);
    if (last_bad_ && bad_++ == 0) bad_at_ = at;
  }
  void End(Report& report, uint64_t size, bool ended) override {
    if (bad_ == 0) return;
    if (bad_ == 1 && last_bad_ && !ended) return report.Truncated(size, "the rest of a JSON value");
    if (!whole_) return report.Undecided(bad_at_, "lines of at most 64 KiB", "a longer one");
    report.Damaged(bad_at_, "one JSON value a line", Words(bad_, " lines that are none"));
  }

 private:
  bool whole_ = true;
  bool last_bad_ = false;
  uint64_t last_at_ = 0;
  uint64_t bad_ = 0;
  uint64_t bad_at_ = 0;
};

// Several values behind each other, one a line, are often called ".json" too.
bool LinesAreValues(Source& source, const Report& report) {
  if (!source.Random()) return false;
  Report trial = report;
  LineValues values;
  ReadText(source, trial, &values);
  return trial.clean();
}

// Text that has two bytes a character, or one, in UTF-8; nothing: it is neither, or large.
std::optional<std::string> InUtf8(Source& source) {
  const std::string_view text = source.Whole();
  const bool little = StartsWith(text, "\xff\xfe");
  if (little || StartsWith(text, "\xfe\xff")) {
    std::string utf8;
    uint32_t high = 0;
    for (size_t i = 2; i + 2 <= text.size(); i += 2) {
      uint32_t unit = static_cast<uint32_t>(little ? LittleEndian(text.substr(i, 2)) : BigEndian(text.substr(i, 2)));
      if (unit >= 0xd800 && unit < 0xdc00) {
        high = unit;
        continue;
      }
      if (unit >= 0xdc00 && unit < 0xe000 && high != 0) unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
      high = 0;
      AppendUtf8(unit, utf8);
    }
    return utf8;
  }
  if (text.empty() || std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::nullopt;
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && !IsWesternLetter(byte)) return std::nullopt;
    AppendUtf8(byte, utf8);
  }
  MemorySource copy(utf8);
  return IsWhole(copy) ? std::optional(utf8) : std::nullopt;
}

// What JavaScript and Python write although it is no JSON.
bool IsLenient(Source& source, uint64_t at) {
  if (!source.Random()) return false;
  const std::string here = source.ReadString(at, 8);
  if (StartsWith(here, "NaN") || StartsWith(here, "Infinity")) return true;
  if (here.empty() || (here[0] != ']' && here[0] != '}')) return false;
  const std::string before = source.ReadString(at - std::min<uint64_t>(at, 64), static_cast<size_t>(std::min<uint64_t>(at, 64)));
  return EndsWith(Strip(before), ",");
}

bool IsCleanText(Source& source, const Report& report) {
  if (!source.Random()) return false;
  Report trial = report;
  ReadText(source, trial, nullptr);
  return trial.clean();
}

std::string EndOf(const std::string& token) {
  return HexOf(std::string_view(token).substr(token.size() - std::min<size_t>(token.size(), 8)));
}

class JsonText final : public Decoder {
 public:
  const char* name() const override { return "json"; }
  bool Textual() const override { return true; }
  bool Ends() const override { return true; }
  bool Recognises(std::string_view head) const override { return LooksLikeJson(head); }
  void Decode(Source& source, Report& report) const override {
    if (source.Random() && IsWhole(source)) return;
    if (const auto wide = InUtf8(source)) {
      MemorySource narrow(*wide);
      if (IsWhole(narrow)) return;
      if (!IsCleanText(source, report)) return report.Damaged(0, "JSON in UTF-16", "text that is none");
      Taker taker;
      json::sax_parse(*wide, &taker);
      const bool cut = taker.at >= wide->size() || Contains(taker.what, "unexpected end of input") || Contains(taker.what, "missing closing quote");
      return cut ? report.Truncated(source.Size(), "the rest of a JSON value") : report.Ungrammatical(2 * taker.at, "JSON in UTF-16", EndOf(taker.token));
    }
    Reader reader(source);
    Taker taker;
    if (json::sax_parse(Bytes(reader), Bytes(), &taker, json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true)) return;
    if (taker.what.find("expected end of input") != std::string::npos && LinesAreValues(source, report)) return;
    const bool at_end = taker.what.find("unexpected end of input") != std::string::npos ||
                        taker.what.find("missing closing quote") != std::string::npos;
    if (at_end && reader.AtEnd()) return report.Truncated(taker.at, "the rest of a JSON value");
    if (IsLenient(source, taker.at)) return report.Undecided(taker.at, "JSON as in RFC 8259", source.ReadString(taker.at, 8));
    if (IsCleanText(source, report)) return report.Ungrammatical(taker.at, "JSON", EndOf(taker.token));
    report.Damaged(taker.at, "JSON", EndOf(taker.token));
  }
};

class JsonLines final : public Decoder {
 public:
  const char* name() const override { return "jsonl"; }
  bool Textual() const override { return true; }
  bool Recognises(std::string_view) const override { return false; }  // By its name only.
  void Decode(Source& source, Report& report) const override {
    LineValues values;
    ReadText(source, report, &values);
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeJson() {
  return std::make_unique<JsonText>();
}
std::unique_ptr<Decoder> MakeJsonLines() {
  return std::make_unique<JsonLines>();
}

}  // namespace reprise::backup
