// The objects of a PDF, one after the other, read by qpdf. This header and its source are C++17: qpdf's own headers are no
// C++20 for every compiler (a container of an incomplete class). Knows nothing of verdicts; its caller judges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reprise::backup {

// What is read.
class PdfBytes {
 public:
  virtual ~PdfBytes() = default;
  virtual uint64_t Size() = 0;
  // At most `length` bytes from `at`; fewer at the end.
  virtual size_t Read(uint64_t at, char* buffer, size_t length) = 0;
};

// Who is told what is found.
class PdfReader {
 public:
  virtual ~PdfReader() = default;
  // A stream as it lies in the file (less the document's own encryption), and the names of its filters in the order in which
  // they are to be undone ("/FlateDecode"). False: not all of them are known there; then qpdf unpacks it.
  virtual bool Packed(int object, const std::string& bytes, const std::vector<std::string>& filters) = 0;
  // A stream that is not compressed, or compressed in a way that nobody here knows: its raw bytes.
  virtual void Raw(int object, std::string bytes, bool compressed) = 0;
  // A stream that should unpack and does not.
  virtual void Broken(int object) = 0;
  // `place` in bytes from the start of the file; 0 when it is not known.
  virtual void Fault(uint64_t place, const std::string& words) = 0;
  // Warnings of the parser, in the same terms.
  virtual void Warning(uint64_t place, const std::string& words) = 0;
  virtual void NeedsPassword() = 0;
};

// Parses every object and unpacks every stream. `repair`: offsets that are wrong may be looked for.
void ReadPdf(PdfBytes& bytes, bool repair, PdfReader& reader);

}  // namespace reprise::backup
