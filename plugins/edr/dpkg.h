// Debian packages from files, with dpkg: no network, no questions, no daemon started behind our back. What goes wrong has a
// name: dpkg_broken, dpkg_busy, dependency_missing, disk_full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/process.h"

namespace reprise::edr {

struct Deb {
  std::string package;
  std::string version;
  int64_t kibibytes = 0;  // Installed.
  std::filesystem::path file;
};

// What a .deb says of itself. Throws Error "bad_artifact".
Deb ReadDeb(const sdk::Context& context, const std::filesystem::path& file);

// Nothing unless the package is wholly installed.
std::optional<std::string> InstalledVersion(const sdk::Context& context, const std::string& package);

// Debian's order of versions.
bool IsAtLeast(const sdk::Context& context, const std::string& version, const std::string& wanted);

// All at once, so that dpkg finds their order. Mends first what an interrupted dpkg left.
void InstallDebs(const sdk::Context& context, const std::vector<Deb>& debs);

// With their configuration. Packages that are not there are no error.
void PurgePackages(const sdk::Context& context, const std::vector<std::string>& packages);

// The Error for a dpkg that failed.
sdk::Error DpkgError(const std::string& doing, const sdk::RunResult& result);

// While it lives, Debian's maintainer scripts start and stop no service. What stood at `path` before comes back; also after
// a life that was killed.
class NoDaemons {
 public:
  explicit NoDaemons(std::filesystem::path path = "/usr/sbin/policy-rc.d");
  NoDaemons(const NoDaemons&) = delete;
  NoDaemons& operator=(const NoDaemons&) = delete;
  ~NoDaemons();

  // Undoes what a killed life left at `path`. True if there was anything.
  static bool Mend(const std::filesystem::path& path = "/usr/sbin/policy-rc.d");

 private:
  std::filesystem::path path_;
};

}  // namespace reprise::edr
