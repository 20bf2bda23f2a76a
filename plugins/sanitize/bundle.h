// The evidence of one case, copied before anything is cleaned: every flagged file with its metadata, the programs that ran, what
// was volatile, the findings themselves, and a manifest of SHA-256 over all of it.
//
//   <evidence>/<case>/MANIFEST            as plugins/sdk/manifest.h has it; its own hash names the bundle
//                     findings.json       every finding, entire
//                     metadata.json       of every file: owner, mode, times, extended attributes, and where its content lies
//                     files/<sha256>      contents
//                     volatile/…          processes, sockets, modules, mounts
//
// It gets its final name when it is complete, and is never changed afterwards.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

struct KeptFile {
  std::string path;
  std::string sha256;   // Of the content; of a link: of its target.
  std::string target;   // Of a link.
  uint32_t mode = 0, uid = 0, gid = 0;
  uint64_t size = 0;
  int64_t accessed_ns = 0, modified_ns = 0, changed_ns = 0;
  std::map<std::string, std::string> attributes;  // Values in hex.
};
Json ToJson(const KeptFile& file);

class Bundle {
 public:
  // Where the case lies.
  static std::filesystem::path FolderOf(const sdk::Context& context);

  // Copies everything that `on` has found; returns the bundle, read back and hashed again. Throws sdk::Error
  // "evidence_incomplete" (it names what could not be copied; nothing gets the final name), "disk_full".
  static Bundle Write(Examination& on, const std::filesystem::path& folder);

  // Reads and hashes all of it again. Nothing: there is none. Throws sdk::Error "bundle_broken", which names the file.
  static std::optional<Bundle> Open(const sdk::Context& context, const std::filesystem::path& folder);

  const std::string& manifest_sha256() const { return manifest_sha256_; }
  const std::vector<Finding>& findings() const { return findings_; }
  const Finding* Find(const std::string& id) const;
  const KeptFile* File(const std::string& path) const;
  // The content of a kept file or program. REQUIRES: it was kept.
  std::filesystem::path Content(const std::string& sha256) const { return folder_ / "files" / sha256; }
  bool Keeps(const std::string& sha256) const;
  uint64_t bytes() const { return bytes_; }
  size_t files() const { return files_; }

 private:
  std::filesystem::path folder_;
  std::string manifest_sha256_;
  std::vector<Finding> findings_;
  std::map<std::string, KeptFile> kept_;
  uint64_t bytes_ = 0;
  size_t files_ = 0;
};

std::vector<sdk::Param> BundleParams();
// Below which evidence may lie: this host's own place, or a disk that was attached for it.
std::vector<std::string> EvidenceFolders();

}  // namespace reprise::sanitize
