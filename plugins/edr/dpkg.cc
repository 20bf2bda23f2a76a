#include "plugins/edr/dpkg.h"

#include <sys/statvfs.h>

#include <charconv>
#include <system_error>
#include <thread>

#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::RunResult;

constexpr const char* kPolicy = "#!/bin/sh\n# Written by Reprise (edr) while it installs packages.\nexit 101\n";
constexpr int64_t kSpareKibibytes = 32 << 10;

sdk::RunOptions Quietly() {
  sdk::RunOptions options;
  options.environment = {{"DEBIAN_FRONTEND", "noninteractive"},
                         {"DEBCONF_NONINTERACTIVE_SEEN", "true"},
                         {"UCF_FORCE_CONFFOLD", "1"}};
  return options;
}

fs::path KeptBeside(const fs::path& path) { return path.string() + ".before-reprise"; }

// Another dpkg or apt at work is waited for as long as the verb lasts, but not silently for ever.
RunResult RunDpkg(const sdk::Context& context, const std::vector<std::string>& arguments) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    RunResult result = sdk::Run(context, arguments, Quietly());
    const bool busy = !result.ok() && result.err.find("lock") != std::string::npos &&
                      result.err.find("another process") != std::string::npos;
    if (!busy || std::chrono::steady_clock::now() >= until) return result;
    context.Progress(-1, "waiting for another dpkg to end");
    for (int i = 0; i < 20; ++i) {
      context.ThrowIfCancelled();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void MendInterrupted(const sdk::Context& context) {
  const RunResult audit = sdk::Run(context, {"dpkg", "--audit"});
  std::error_code ignored;
  const bool journal = !fs::is_empty("/var/lib/dpkg/updates", ignored) && !ignored;
  if (audit.ok() && audit.out.empty() && !journal) return;
  context.Log(sdk::LogLevel::kWarning, "dpkg was interrupted before: dpkg --configure -a");
  const RunResult mended =
      RunDpkg(context, {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"});
  // What it cannot configure may be what is installed next; if not, that will fail and say so.
  if (!mended.ok()) context.Log(sdk::LogLevel::kWarning, "dpkg --configure -a: " + mended.Why());
}

void CheckSpace(const std::vector<Deb>& debs) {
  int64_t wanted = kSpareKibibytes;
  for (const Deb& deb : debs) wanted += deb.kibibytes;
  struct statvfs disk {};
  if (statvfs("/usr", &disk) != 0) return;
  const int64_t free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize) / 1024;
  if (free >= wanted) return;
  throw Error("disk_full", "/usr has " + std::to_string(free >> 10) + " MB free, the packages need " +
                               std::to_string(wanted >> 10) + " MB",
              "make room on this host, for example apt-get clean");
}

}  // namespace

Deb ReadDeb(const sdk::Context& context, const fs::path& file) {
  const RunResult result =
      sdk::Run(context, {"dpkg-deb", "--field", file.string(), "Package", "Version", "Installed-Size"});
  if (!result.ok()) {
    throw Error("bad_artifact", file.filename().string() + " is no Debian package: " + result.Why());
  }
  Deb deb;
  deb.file = file;
  for (size_t begin = 0; begin < result.out.size();) {
    size_t end = result.out.find('\n', begin);
    if (end == std::string::npos) end = result.out.size();
    const std::string line = result.out.substr(begin, end - begin);
    const size_t colon = line.find(": ");
    const std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
    if (line.rfind("Package: ", 0) == 0) deb.package = value;
    if (line.rfind("Version: ", 0) == 0) deb.version = value;
    if (line.rfind("Installed-Size: ", 0) == 0) {
      std::from_chars(value.data(), value.data() + value.size(), deb.kibibytes);
    }
    begin = end + 1;
  }
  if (!sdk::IsName(deb.package) || deb.version.empty()) {
    throw Error("bad_artifact", file.filename().string() + " does not say its package and version");
  }
  return deb;
}

std::optional<std::string> InstalledVersion(const sdk::Context& context, const std::string& package) {
  const RunResult result =
      sdk::Run(context, {"dpkg-query", "--show", "--showformat=${db:Status-Abbrev}\t${Version}\n", package});
  if (result.exit_code == 1) return std::nullopt;
  if (!result.ok()) throw Error("dpkg_broken", "dpkg-query: " + result.Why(), "look at /var/lib/dpkg/status");
  // "ii \t1.4.6+dfsg-0+deb12u1": wanted, status, error; "iHR" is half-installed.
  const size_t tab = result.out.find('\t');
  if (tab == std::string::npos || tab < 2 || result.out[1] != 'i' || result.out[2] != ' ') return std::nullopt;
  return result.out.substr(tab + 1, result.out.find('\n') - tab - 1);
}

bool IsAtLeast(const sdk::Context& context, const std::string& version, const std::string& wanted) {
  return sdk::Run(context, {"dpkg", "--compare-versions", version, "ge", wanted}).ok();
}

Error DpkgError(const std::string& doing, const RunResult& result) {
  const std::string said = result.err + result.out;
  const auto says = [&](const char* text) { return said.find(text) != std::string::npos; };
  const std::string message = doing + ": " + result.Why();
  if (says("No space left on device")) return {"disk_full", message, "make room on this host, for example apt-get clean"};
  if (says("lock") && says("another process")) {
    return {"dpkg_busy", message, "another dpkg or apt is at work on this host; try again when it has ended"};
  }
  if (says("which isn't installed") || says("is not installed") || says("not installed; however")) {
    return {"dependency_missing", message, "add the missing package to the artifacts of the step"};
  }
  return {"dpkg_broken", message, "on this host, see: dpkg --audit; then dpkg --configure -a"};
}

void InstallDebs(const sdk::Context& context, const std::vector<Deb>& debs) {
  if (debs.empty()) return;
  CheckSpace(debs);
  const NoDaemons quiet;
  MendInterrupted(context);
  std::vector<std::string> arguments = {"dpkg", "--force-confdef", "--force-confold", "--install"};
  for (const Deb& deb : debs) arguments.push_back(deb.file.string());
  const RunResult result = RunDpkg(context, arguments);
  if (!result.ok()) throw DpkgError("dpkg --install", result);
}

void PurgePackages(const sdk::Context& context, const std::vector<std::string>& packages) {
  std::vector<std::string> arguments = {"dpkg", "--purge"};
  for (const std::string& package : packages) {
    const RunResult known =
        sdk::Run(context, {"dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", package});
    if (known.ok() && known.out.size() >= 2 && known.out[1] != 'n') arguments.push_back(package);
  }
  if (arguments.size() == 2) return;
  const NoDaemons quiet;
  MendInterrupted(context);
  RunResult result = RunDpkg(context, arguments);
  if (!result.ok() && result.err.find("reinstallation") != std::string::npos) {
    // Half-installed: dpkg wants it whole again before it goes, unless told.
    arguments.insert(arguments.begin() + 1, "--force-remove-reinstreq");
    result = RunDpkg(context, arguments);
  }
  if (!result.ok()) throw DpkgError("dpkg --purge", result);
}

NoDaemons::NoDaemons(fs::path path) : path_(std::move(path)) {
  Mend(path_);
  if (fs::exists(path_)) {
    fs::copy_file(path_, KeptBeside(path_), fs::copy_options::overwrite_existing);
    sdk::SyncFolder(path_.parent_path());
  }
  sdk::WriteFileAtomically(path_, kPolicy, 0755);
}

NoDaemons::~NoDaemons() {
  try {
    Mend(path_);
  } catch (const std::exception&) {
    // The next life mends it.
  }
}

bool NoDaemons::Mend(const fs::path& path) {
  const auto now = sdk::ReadFileIfThere(path);
  std::error_code ignored;
  if (fs::exists(KeptBeside(path), ignored)) {
    fs::rename(KeptBeside(path), path);  // Also where it was killed between copy and write: then both are the same.
    sdk::SyncFolder(path.parent_path());
    return true;
  }
  if (now != kPolicy) return false;
  return sdk::RemoveFile(path);
}

}  // namespace reprise::edr
