// What a file was before a step changed it, kept durably on this host: a note, and the earlier content beside it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugins/host/spot.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/notes.h"

namespace reprise::host {

struct KeptFile {
  FileState before;                       // kAbsent or kRegular.
  std::vector<std::string> made_folders;  // Outermost first.
  std::filesystem::path content;          // Of a regular file.
};

class KeptFiles {
 public:
  KeptFiles() : notes_("host") {}

  // Durable when it returns, so that the change may follow. A change begun earlier under the same key and not carried
  // out is taken up: its folders stay remembered.
  void Keep(const sdk::Context& context, const std::string& key, const std::optional<Spot>& spot,
            const FileState& before, std::vector<std::string> folders_to_make) const;
  std::optional<KeptFile> Find(const std::string& key) const;
  void Forget(const std::string& key) const;

 private:
  std::filesystem::path Content(const std::string& key, const std::string& sha256) const;
  sdk::Notes notes_;
};

}  // namespace reprise::host
