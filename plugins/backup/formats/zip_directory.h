// zip's central directory: which members there are, and where. Reads both the old and the 64-bit form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

struct ZipMember {
  std::string name;
  uint64_t flags = 0;
  uint64_t method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0;
  uint64_t size = 0;
  uint64_t header_at = 0;
  uint64_t loose = 0;  // Bytes of its entry that no checksum covers: system, attributes, extra fields, comment.

  bool encrypted() const { return (flags & 1) != 0; }
  bool has_descriptor() const { return (flags & 8) != 0; }
};

struct ZipDirectory {
  uint64_t begins = 0;
  uint64_t loose = 0;  // Of the comment.
  std::vector<ZipMember> members;
};

// False: what is wrong was reported. REQUIRES: the source is Random().
bool ReadZipDirectory(Source& source, Report& report, ZipDirectory& directory);

}  // namespace reprise::backup
