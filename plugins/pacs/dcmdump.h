// What dcmtk's dcmdump says of files, as values: the independent reader that the index is compared with. Reading its text
// is pure; running it is in census.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reprise::pacs {

// One file as DICOM. The patient's identifier is kept only as a hash: it serves to count.
struct DumpedFile {
  std::string transfer_syntax;
  std::string patient;
  std::string study;
  std::string series;
  std::string instance;
  int64_t rows = 0, columns = 0, samples = 1, frames = 1, bits = 0;
  std::optional<uint64_t> pixel_bytes;  // As the element says; 0 for encapsulated pixels.
  bool has_pixels = false;

  // Why it is no whole instance; empty if it is one.
  std::string WhyIncomplete() const;
  // An image (it has rows) without its pixels: what Orthanc keeps beside a compressed file, or what is left of one.
  bool IsHeaderOnly() const { return rows > 0 && !has_pixels; }
};

// The arguments that the text below is the answer to; the files' paths follow.
std::vector<std::string> DumpCommand();

// The sections of `text`, in the order of `files`; nothing where dcmdump could not read the file. Throws Error "bad_answer" if the
// text is not of these files.
std::vector<std::optional<DumpedFile>> ReadDump(std::string_view text, const std::vector<std::string>& files);

}  // namespace reprise::pacs
