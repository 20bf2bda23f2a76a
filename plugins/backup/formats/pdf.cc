// PDF, by qpdf: every object parsed, every stream unpacked, no repair allowed. Streams that are not compressed are
// judged as contents of their own. The format has no checksum over the whole.
#include <algorithm>
#include <memory>
#include <qpdf/Buffer.hh>
#include <qpdf/InputSource.hh>
#include <qpdf/Pl_Discard.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// A source as qpdf wants it.
class PdfInput final : public InputSource {
 public:
  explicit PdfInput(Source& source) : source_(source) {}
  qpdf_offset_t findAndSkipNextEOL() override {
    for (;;) {
      const std::string piece = source_.ReadString(static_cast<uint64_t>(at_), 1024);
      if (piece.empty()) return at_;
      const size_t end = piece.find_first_of("\r\n");
      if (end == std::string::npos) {
        at_ += static_cast<qpdf_offset_t>(piece.size());
        continue;
      }
      const qpdf_offset_t found = at_ + static_cast<qpdf_offset_t>(end);
      at_ = found + 1;
      const std::string rest = source_.ReadString(static_cast<uint64_t>(at_), 64);
      const size_t next = rest.find_first_not_of("\r\n");
      at_ += static_cast<qpdf_offset_t>(next == std::string::npos ? rest.size() : next);
      return found;
    }
  }
  const std::string& getName() const override { return name_; }
  qpdf_offset_t tell() override { return at_; }
  void seek(qpdf_offset_t offset, int whence) override {
    at_ =
        whence == SEEK_SET ? offset : (whence == SEEK_CUR ? at_ : static_cast<qpdf_offset_t>(source_.Size())) + offset;
    if (at_ < 0) throw std::runtime_error("a place before the file");
  }
  void rewind() override { at_ = 0; }
  size_t read(char* buffer, size_t length) override {
    last_offset = at_;
    const size_t got = source_.Read(static_cast<uint64_t>(at_), buffer, length);
    at_ += static_cast<qpdf_offset_t>(got);
    return got;
  }
  void unreadCh(char) override { --at_; }

 private:
  Source& source_;
  const std::string name_ = "the file";
  qpdf_offset_t at_ = 0;
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
    QPDF pdf;
    pdf.setSuppressWarnings(true);
    pdf.setAttemptRecovery(repair);
    try {
      pdf.processInputSource(std::make_shared<PdfInput>(source));
      for (QPDFObjectHandle object : pdf.getAllObjects()) {
        if (object.isStream()) Stream(object, report);
      }
    } catch (const QPDFExc& error) {
      if (error.getErrorCode() == qpdf_e_password) {
        report.Unreadable(0, "the password of the PDF", "an encrypted PDF");
        return true;
      }
      report.Damaged(Place(error), "PDF", error.getMessageDetail());
    } catch (const std::exception& error) {
      report.Damaged(0, "PDF", error.what());
    }
    for (const QPDFExc& warning : pdf.getWarnings()) {
      const std::string words = warning.getMessageDetail();
      const bool about_table =
          Contains(words, "xref") || Contains(words, "cross-reference") || words == "file is damaged";
      if (!repair || !about_table) report.Damaged(Place(warning), "PDF", words);
    }
    return report.clean();
  }

  static uint64_t Place(const QPDFExc& problem) {
    return static_cast<uint64_t>(std::max<qpdf_offset_t>(problem.getFilePosition(), 0));
  }

  static void Stream(QPDFObjectHandle& object, Report& report) {
    const std::string name = Words("object ", object.getObjGen().getObj());
    if (!object.getDict().hasKey("/Filter")) {
      const auto raw = object.getRawStreamData();
      MemorySource content(std::string(reinterpret_cast<const char*>(raw->getBuffer()), raw->getSize()));
      const size_t mark = report.Mark();
      report.Inside(name, content);
      // Fonts and colour profiles are no format of their own; that they are not random is enough.
      report.VouchSince(mark);
      return;
    }
    Pl_Discard nowhere;
    bool tried = false;
    if (!object.pipeStreamData(&nowhere, &tried, 0, qpdf_dl_all, true, false) || !tried) {
      if (tried) report.Damaged(0, Words("the stream of ", name), "data that cannot be unpacked");
      // JPEG and the like, which qpdf passes on as they are.
      if (!tried) {
        const auto raw = object.getRawStreamData();
        MemorySource content(std::string(reinterpret_cast<const char*>(raw->getBuffer()), raw->getSize()));
        report.Inside(name, content);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Decoder> MakePdf() {
  return std::make_unique<Pdf>();
}

}  // namespace reprise::backup
