// PDF, by qpdf: every object parsed, every stream unpacked, no repair allowed. Streams that are not compressed are
// judged as contents of their own. The format has no checksum over the whole.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/pdf_filters.h"
#include "plugins/backup/formats/pdf_objects.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

class SourceBytes final : public PdfBytes {
 public:
  explicit SourceBytes(Source& source) : source_(source) {}
  uint64_t Size() override { return source_.Size(); }
  size_t Read(uint64_t at, char* buffer, size_t length) override { return source_.Read(at, buffer, length); }

 private:
  Source& source_;
};

// What qpdf finds, in the words of a report.
class Judged final : public PdfReader {
 public:
  Judged(Report& report, bool repair) : report_(report), repair_(repair) {}
  bool Packed(int object, const std::string& bytes, const std::vector<std::string>& filters) override {
    const auto content = Unfilter(bytes, filters, report_);
    if (!content) return false;
    if (content->kind == Unfiltered::Kind::kBroken) {
      report_.Damaged(0, Words("the stream of object ", object), content->why);
    } else if (content->kind == Unfiltered::Kind::kTooLarge) {
      report_.Undecided(0, Words("the stream of object ", object, " in at most 256 MiB"), "more");
    } else if (content->kind == Unfiltered::Kind::kJpeg) {
      MemorySource picture(content->bytes);
      report_.Inside(Words("object ", object), picture);
    }
    return true;
  }
  void Raw(int object, std::string bytes, bool compressed) override {
    MemorySource content(std::move(bytes));
    const size_t mark = report_.Mark();
    report_.Inside(Words("object ", object), content);
    // Fonts and colour profiles are no format of their own; that they are not random is enough.
    if (!compressed) report_.VouchSince(mark);
  }
  void Broken(int object) override {
    report_.Damaged(0, Words("the stream of object ", object), "data that cannot be unpacked");
  }
  void Fault(uint64_t place, const std::string& words) override { report_.Damaged(place, "PDF", words); }
  void Warning(uint64_t place, const std::string& words) override {
    const bool about_table =
        Contains(words, "xref") || Contains(words, "cross-reference") || words == "file is damaged";
    if (!repair_ || !about_table) report_.Damaged(place, "PDF", words);
  }
  void NeedsPassword() override {
    report_.Unreadable(0, "the password of the PDF", "an encrypted PDF");
    locked_ = true;
  }
  bool locked() const { return locked_; }

 private:
  Report& report_;
  const bool repair_;
  bool locked_ = false;
};

class Pdf final : public Decoder {
 public:
  const char* name() const override { return "pdf"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override { return StartsWith(head, "%PDF-"); }

  void Decode(Source& source, Report& report) const override {
    if (!source.Settle())
      return report.Undecided(0, "a PDF that fits into memory, or is a file", "a larger one, compressed");
    const uint64_t size = source.Size();
    const std::string tail = source.ReadString(size - std::min<uint64_t>(size, 1024), 1024);
    const size_t end = tail.rfind("%%EOF");
    if (end == std::string::npos) {
      report.Truncated(size, "%%EOF at the end");
      report.own().back().found = HexOf(tail.substr(tail.size() - std::min<size_t>(tail.size(), 16)));
      return;
    }
    const std::string rest(Strip(tail.substr(end + 5)));
    if (!rest.empty()) return report.Damaged(size - rest.size(), "the end of the file behind %%EOF", HexOf(rest));
    if (Parse(source, report, /*repair=*/false)) return;
    // Careless writers get offsets wrong. If everything can be found without them, nothing is lost, and nothing is
    // proven.
    Report repaired = report;
    repaired.own().clear();
    if (Parse(source, repaired, /*repair=*/true) && report.own().front().found.find("xref") != std::string::npos) {
      report.own().clear();
      report.Undecided(0, "a table of objects (xref) that is right", "one that had to be made anew");
    }
  }

 private:
  // True: nothing was found wrong.
  static bool Parse(Source& source, Report& report, bool repair) {
    SourceBytes bytes(source);
    Judged judged(report, repair);
    ReadPdf(bytes, repair, judged);
    return judged.locked() || report.clean();
  }
};

}  // namespace

std::unique_ptr<Decoder> MakePdf() {
  return std::make_unique<Pdf>();
}

}  // namespace reprise::backup
