// This host's dpkg: what it says about packages, and how it is run.
//
// dpkg is asked and told as a careful administrator would: no question is ever asked back, nobody's lock is taken away,
// no --force of what keeps a host whole.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::package {

// What dpkg knows of one package.
struct PackageState {
  std::string name;                      // With its architecture where dpkg needs it: "libc6:amd64".
  std::string version;                   // Empty where there is none.
  std::string status = "not-installed";  // dpkg's word: installed, config-files, half-configured, unpacked, …
  bool reinstall_required = false;       // Half-installed: dpkg can neither use nor remove it.
  bool essential = false;                // Or protected: the host does not work without it.

  bool installed() const { return status == "installed"; }
  // Nothing of it works here; configuration may be left.
  bool gone() const { return status == "not-installed" || status == "config-files"; }
  std::string Shown() const { return gone() ? status : status + " " + version; }
};

// A name or a version as Debian allows them: nothing of it can be taken for an option.
bool IsPlainWord(const std::string& text);

class Dpkg {
 public:
  // Throws Error "not_found" where dpkg is not on the host.
  explicit Dpkg(const sdk::Context& context) : context_(context) {}

  // Throws Error "dpkg_broken".
  PackageState State(const std::string& name) const;
  std::string Architecture() const;
  bool IsForeignArchitecture(const std::string& architecture) const;
  // By dpkg's rules: "1.10" is later than "1.9".
  bool IsEarlier(const std::string& version, const std::string& than) const;

  // Packages that were left in the middle of something, each with its state.
  std::vector<PackageState> Unfinished() const;

  // Runs dpkg with these arguments as one who may change things: waits for the lock of whoever works on packages now
  // until the deadline is near. Throws Error "dpkg_locked"; what dpkg itself says is a result.
  sdk::RunResult Change(const std::vector<std::string>& arguments) const;
  // Changes nothing: dpkg says what it would do.
  sdk::RunResult Pretend(const std::vector<std::string>& arguments) const;

  // Throws the Error that fits what dpkg said: disk_full, dpkg_broken, dependency_missing, script_failed, dpkg_failed.
  [[noreturn]] static void Fail(const std::string& doing, const sdk::RunResult& result, const std::string& hint = "");

 private:
  sdk::RunResult Query(const std::vector<std::string>& arguments) const;
  std::vector<PackageState> States(const std::vector<std::string>& names) const;
  sdk::Fd Lock() const;
  const sdk::Context& context_;
};

}  // namespace reprise::package
