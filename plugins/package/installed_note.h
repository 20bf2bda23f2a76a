// What a step of `install` brought to this host, remembered durably so that rollback takes away that and nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/package/deb_file.h"
#include "plugins/package/dpkg.h"
#include "plugins/sdk/notes.h"

namespace reprise::package {

struct Brought {
  std::string name;     // As dpkg is asked.
  std::string version;  // That the step installs.
  std::string before;   // "not-installed", "config-files", or the version that was replaced.
  bool is_new() const { return before == "not-installed" || before == "config-files"; }
};

class InstalledNote {
 public:
  // One note for each set of packages and versions.
  explicit InstalledNote(const std::vector<DebFile>& debs);

  // In the order in which they were given. Empty: this step brought nothing.
  std::vector<Brought> Read() const;
  // Durable when it returns. What an earlier try of the same step brought stays in it.
  void Write(const std::vector<DebFile>& debs, const std::vector<PackageState>& before) const;
  void Forget() const { notes_.Forget(key_); }

 private:
  sdk::Notes notes_{"package"};
  std::string key_;
};

}  // namespace reprise::package
