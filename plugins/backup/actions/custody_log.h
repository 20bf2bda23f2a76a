// The chain of custody on disk: one file of JSON lines in a folder, only ever added to. Each line has the SHA-256 of the line
// before it, so that nobody can change, drop or insert one unseen; who keeps the last hash (on paper) can prove the whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/params.h"

namespace reprise::backup {

class CustodyLog {
 public:
  explicit CustodyLog(std::filesystem::path folder) : path_(std::move(folder) / "custody.jsonl") {}

  const std::filesystem::path& path() const { return path_; }

  // All records, oldest first. Throws Error "custody_broken", naming the line, where the chain does not hold. A last line
  // without its end was being written when somebody was killed: it is no record.
  std::vector<sdk::Json> Records() const;
  // Adds `record`, with "sequence" and "previous" of its own; durable when it returns. The hash of its line.
  std::string Append(sdk::Json record) const;

  // "previous" of the first record.
  static std::string Begin();

 private:
  struct Chain {
    std::vector<sdk::Json> records;
    std::string last;   // Hash of the last line.
    size_t bytes = 0;   // Of whole lines.
  };
  static Chain Read(std::string_view text, const std::string& name);

  const std::filesystem::path path_;
};

}  // namespace reprise::backup
