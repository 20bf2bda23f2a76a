#include "plugins/backup/formats/pdf_objects.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <qpdf/Buffer.hh>
#include <qpdf/InputSource.hh>
#include <qpdf/Pl_Discard.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <stdexcept>

namespace reprise::backup {
namespace {

// Bytes as qpdf wants them.
class PdfInput final : public InputSource {
 public:
  explicit PdfInput(PdfBytes& bytes) : bytes_(bytes) {}
  qpdf_offset_t findAndSkipNextEOL() override {
    for (;;) {
      const std::string piece = Peek(1024);
      if (piece.empty()) return at_;
      const size_t end = piece.find_first_of("\r\n");
      if (end == std::string::npos) {
        at_ += static_cast<qpdf_offset_t>(piece.size());
        continue;
      }
      const qpdf_offset_t found = at_ + static_cast<qpdf_offset_t>(end);
      at_ = found + 1;
      const std::string rest = Peek(64);
      const size_t next = rest.find_first_not_of("\r\n");
      at_ += static_cast<qpdf_offset_t>(next == std::string::npos ? rest.size() : next);
      return found;
    }
  }
  const std::string& getName() const override { return name_; }
  qpdf_offset_t tell() override { return at_; }
  void seek(qpdf_offset_t offset, int whence) override {
    at_ = whence == SEEK_SET ? offset : (whence == SEEK_CUR ? at_ : static_cast<qpdf_offset_t>(bytes_.Size())) + offset;
    if (at_ < 0) throw std::runtime_error("a place before the file");
  }
  void rewind() override { at_ = 0; }
  size_t read(char* buffer, size_t length) override {
    last_offset = at_;
    const size_t got = bytes_.Read(static_cast<uint64_t>(at_), buffer, length);
    at_ += static_cast<qpdf_offset_t>(got);
    return got;
  }
  void unreadCh(char) override { --at_; }

 private:
  std::string Peek(size_t length) {
    std::string piece(length, '\0');
    piece.resize(bytes_.Read(static_cast<uint64_t>(at_), piece.data(), length));
    return piece;
  }

  PdfBytes& bytes_;
  const std::string name_ = "the file";
  qpdf_offset_t at_ = 0;
};

uint64_t PlaceOf(const QPDFExc& problem) {
  return static_cast<uint64_t>(std::max<qpdf_offset_t>(problem.getFilePosition(), 0));
}

std::string RawBytes(QPDFObjectHandle& object) {
  const auto raw = object.getRawStreamData();
  return {reinterpret_cast<const char*>(raw->getBuffer()), raw->getSize()};
}

// Empty: none, or none that can be told.
std::vector<std::string> FiltersOf(QPDFObjectHandle& object) {
  std::vector<std::string> names;
  QPDFObjectHandle filters = object.getDict().getKey("/Filter");
  if (filters.isName()) names.push_back(filters.getName());
  for (int i = 0; filters.isArray() && i < filters.getArrayNItems(); ++i) {
    if (!filters.getArrayItem(i).isName()) return {};
    names.push_back(filters.getArrayItem(i).getName());
  }
  return names;
}

void ReadStream(QPDFObjectHandle& object, PdfReader& reader) {
  const int number = object.getObjGen().getObj();
  if (!object.getDict().hasKey("/Filter")) return reader.Raw(number, RawBytes(object), false);
  // qpdf forgives what readers of documents forgive: a checksum of zlib that does not agree, a JPEG with noise in it.
  if (const auto filters = FiltersOf(object); !filters.empty() && reader.Packed(number, RawBytes(object), filters)) return;
  Pl_Discard nowhere;
  bool tried = false;
  const bool unpacked = object.pipeStreamData(&nowhere, &tried, 0, qpdf_dl_all, true, false);
  if (!tried) return reader.Raw(number, RawBytes(object), true);
  if (!unpacked) reader.Broken(number);
}

}  // namespace

void ReadPdf(PdfBytes& bytes, bool repair, PdfReader& reader) {
  QPDF pdf;
  pdf.setSuppressWarnings(true);
  pdf.setAttemptRecovery(repair);
  try {
    pdf.processInputSource(std::make_shared<PdfInput>(bytes));
    for (QPDFObjectHandle object : pdf.getAllObjects()) {
      if (object.isStream()) ReadStream(object, reader);
    }
  } catch (const QPDFExc& error) {
    if (error.getErrorCode() == qpdf_e_password) return reader.NeedsPassword();
    reader.Fault(PlaceOf(error), error.getMessageDetail());
  } catch (const std::exception& error) {
    reader.Fault(0, error.what());
  }
  for (const QPDFExc& warning : pdf.getWarnings()) reader.Warning(PlaceOf(warning), warning.getMessageDetail());
}

}  // namespace reprise::backup
