// What one file of Orthanc's storage is, by its content. Orthanc names its files by UUIDs, keeps two kinds of notes
// beside the DICOM files (JSON summaries, headers), and may compress all of them: 8 bytes of length, then zlib.
#pragma once

#include <filesystem>
#include <string>

#include "plugins/sdk/context.h"

namespace reprise::pacs {

enum class StoredKind {
  kDicom,       // Begins as a DICOM file does, after decompression.
  kAttachment,  // Orthanc's own JSON.
  kIndex,       // Orthanc's SQLite files, in the folder of the storage by default.
  kList,        // SHA256SUMS: beside the storage, no part of it.
  kDamaged,     // Has a name of Orthanc's, and no content of its.
  kForeign,     // Neither.
};

struct StoredFile {
  StoredKind kind = StoredKind::kForeign;
  bool compressed = false;
  std::string why;  // Of the damaged.
};

// "0a1b2c3d-…" as Orthanc makes them.
bool IsUuid(const std::string& name);

// Looks at the beginning of the file, and through all of a compressed one. Throws std::system_error if it cannot be read.
StoredFile LookAtStored(const std::filesystem::path& file);

// Writes the plain content of a compressed file. Empty: done; else why not.
std::string Decompress(const std::filesystem::path& file, const std::filesystem::path& into);

}  // namespace reprise::pacs
