// Plain text, CSV, SQL. None has a checksum; what each has is a shape that must hold to its last line.
#include <algorithm>
#include <bit>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/text_grammar.h"
#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// Records of equally many fields, quoted ones as in RFC 4180. The first record says what divides them.
class CsvGrammar final : public TextGrammar {
 public:
  void Line(std::string_view line, uint64_t at, bool begins) override {
    if (records_ == 0 && fields_ == 0) Divider(line);
    if (!quoted_ && begins) {
      fields_ = 1;
      record_at_ = at;
      empty_ = true;
    }
    // Most lines have no quote: nothing to be kept in mind from letter to letter.
    if (!quoted_ && line.find('"') == std::string_view::npos) {
      fields_ += static_cast<uint64_t>(std::count(line.begin(), line.end(), divider_));
      empty_ = empty_ && line.find_first_not_of('\r') == std::string_view::npos;
      if (!empty_) Record();
      return;
    }
    char before = divider_;
    for (const char c : line) {
      empty_ = empty_ && c == '\r';
      // A quote that opens a field stands at its beginning; any other is a letter.
      if (c == '"' && (quoted_ || before == divider_ || before == '"')) quoted_ = !quoted_;
      if (c == divider_ && !quoted_) ++fields_;
      before = c;
    }
    if (!quoted_ && !empty_) Record();
  }

  // As many records as agree and have no quote: counted, and not looked at one by one.
  size_t Lines(std::string_view piece, uint64_t at) override {
    size_t taken = 0;
#ifdef __SSE2__
    if (quoted_ || wanted_ < 2) return 0;
    const __m128i newlines = _mm_set1_epi8('\n'), dividers = _mm_set1_epi8(divider_), quotes = _mm_set1_epi8('"');
    uint64_t fields = 1;
    for (size_t i = 0; i + 16 <= piece.size(); i += 16) {
      const __m128i bytes = bulk_internal::Load(piece.data() + i);
      const auto mask = [&](__m128i which) { return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, which))); };
      unsigned ends = mask(newlines), divided = mask(dividers);
      const unsigned quoted = mask(quotes);
      for (; ends != 0; ends &= ends - 1) {
        const unsigned before = (ends & (~ends + 1)) - 1;  // What stands before this end.
        if ((quoted & before) != 0 || fields + Bits(divided & before) != wanted_) return taken;
        divided &= ~before;
        fields = 1;
        record_at_ = at + taken;
        taken = i + static_cast<size_t>(std::countr_zero(ends)) + 1;
        ++records_;
      }
      if (quoted != 0) return taken;
      fields += Bits(divided);
    }
#else
    static_cast<void>(piece), static_cast<void>(at);
#endif
    return taken;
  }

  void End(Report& report, uint64_t size, bool ended) override {
    if (quoted_) return report.Truncated(size, "the end of a quoted field");
    if (odd_ == 0 || records_ < 3) return;
    const bool last_is_short = odd_ == 1 && odd_at_ == record_at_ && odd_fields_ < wanted_;
    if (last_is_short && !ended) return report.Truncated(size, Words(wanted_, " fields in the last record"));
    // Where most records agree, a few others are odd; where they do not, there is no shape to be judged by.
    if (odd_ * 10 < records_) {
      report.Undecided(odd_at_, Words(wanted_, " fields in each record"),
                       Words(odd_fields_, " fields, in one of ", odd_, " such records"));
    }
  }

 private:
  // How many of sixteen bits are set; not every x86-64 has an instruction for it, and few are set.
  static uint64_t Bits(unsigned mask) {
    uint64_t bits = 0;
    for (; mask != 0; mask &= mask - 1) ++bits;
    return bits;
  }
  void Divider(std::string_view line) {
    size_t most = 0;
    for (const char c : {',', ';', '\t', '|'}) {
      const auto count = static_cast<size_t>(std::count(line.begin(), line.end(), c));
      if (count > most) divider_ = c;
      most = std::max(most, count);
    }
  }
  void Record() {
    if (records_++ == 0) wanted_ = fields_;
    if (fields_ == wanted_) return;
    if (odd_++ == 0) odd_at_ = record_at_, odd_fields_ = fields_;
  }

  char divider_ = ',';
  bool quoted_ = false;
  bool empty_ = true;
  uint64_t fields_ = 0, wanted_ = 0, records_ = 0;
  uint64_t odd_ = 0, odd_at_ = 0, odd_fields_ = 0, record_at_ = 0;
};

// Dumps that say where they end; other SQL must end with the end of a statement.
class SqlGrammar final : public TextGrammar {
 public:
  // Rows say nothing to this grammar, up to the line that ends them.
  size_t Lines(std::string_view piece, uint64_t) override {
    if (!copying_ || StartsWith(piece, "\\.")) return 0;
    const size_t end = piece.find("\n\\.");
    const size_t last = end == std::string_view::npos ? piece.rfind('\n') : end;
    return last == std::string_view::npos ? 0 : last + 1;
  }

  void Line(std::string_view line, uint64_t at, bool begins) override {
    line = Strip(line);
    if (begins && lines_++ < 40) Begin(line);
    binary_ = binary_ || (mysql_ && Contains(line, "_binary '"));
    if (ending_ != nullptr && StartsWith(line, ending_)) complete_ = true;
    if (!begins) return Last(line);
    if (copying_) {
      if (line == "\\.") copying_ = false;
    } else if (StartsWith(line, "COPY ") && EndsWith(line, "FROM stdin;")) {
      copying_ = true;
      copying_at_ = at;
    }
    Last(line);
  }

  bool HoldsBytes() const override { return binary_; }
  void End(Report& report, uint64_t size, bool) override {
    if (copying_) return report.Truncated(size, Words("the end (\\.) of the rows that begin at ", copying_at_));
    if (ending_ != nullptr && !complete_) return report.Truncated(size, Words("the line \"", ending_, "\""));
    if (ending_ == nullptr && statements_ && !last_.empty() && last_.back() != ';' && last_.back() != '/' &&
        Lower(last_) != "go") {
      report.Truncated(size, "the end (;) of the last statement");
    }
  }

 private:
  void Begin(std::string_view line) {
    if (line == "-- PostgreSQL database dump") ending_ = "-- PostgreSQL database dump complete";
    if (line == "-- PostgreSQL database cluster dump") ending_ = "-- PostgreSQL database cluster dump complete";
    mysql_ = mysql_ || StartsWith(line, "-- MySQL dump") || StartsWith(line, "-- MariaDB dump");
    if (mysql_) ending_ = "-- Dump completed";
    if (line == "BEGIN TRANSACTION;") ending_ = "COMMIT;";
  }
  void Last(std::string_view line) {
    if (line.empty() || StartsWith(line, "--") || StartsWith(line, "\\")) return;
    last_.assign(line.substr(line.size() - std::min<size_t>(line.size(), 64)));
    statements_ = statements_ || last_.back() == ';';
  }

  const char* ending_ = nullptr;
  bool mysql_ = false;
  bool binary_ = false;  // Has bytes between quotes.
  bool complete_ = false;
  bool copying_ = false;
  bool statements_ = false;
  uint64_t copying_at_ = 0;
  uint64_t lines_ = 0;
  std::string last_;
};

template <typename Grammar>
class Lines final : public Decoder {
 public:
  Lines(const char* name, bool (*recognises)(std::string_view)) : name_(name), recognises_(recognises) {}
  const char* name() const override { return name_; }
  bool Textual() const override { return true; }
  bool Recognises(std::string_view head) const override { return recognises_(head) && LooksLikeText(head); }
  void Decode(Source& source, Report& report) const override {
    Grammar grammar;
    ReadText(source, report, &grammar);
  }

 private:
  const char* const name_;
  bool (*const recognises_)(std::string_view);
};

class PlainText final : public Decoder {
 public:
  const char* name() const override { return "text"; }
  bool Textual() const override { return true; }
  bool Recognises(std::string_view head) const override { return LooksLikeText(head); }
  void Decode(Source& source, Report& report) const override { ReadText(source, report, nullptr); }
};

bool IsSql(std::string_view head) {
  return Contains(head, "PostgreSQL database dump") || StartsWith(head, "-- MySQL dump") ||
         StartsWith(head, "-- MariaDB dump") || Contains(head.substr(0, 200), "CREATE TABLE ") ||
         Contains(head.substr(0, 200), "INSERT INTO ");
}

}  // namespace

std::unique_ptr<Decoder> MakeText() {
  return std::make_unique<PlainText>();
}
// Only by its name: any text is one field a line.
std::unique_ptr<Decoder> MakeCsv() {
  return std::make_unique<Lines<CsvGrammar>>("csv", [](std::string_view) { return true; });
}
std::unique_ptr<Decoder> MakeSql() {
  return std::make_unique<Lines<SqlGrammar>>("sql", IsSql);
}

}  // namespace reprise::backup
