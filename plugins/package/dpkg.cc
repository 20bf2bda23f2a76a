#include "plugins/package/dpkg.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <thread>

namespace reprise::package {
namespace {

using sdk::Error;
using sdk::RunOptions;
using sdk::RunResult;

constexpr const char* kStatus = "/var/lib/dpkg/status";
constexpr const char* kFrontendLock = "/var/lib/dpkg/lock-frontend";
// So long before the deadline waiting ends, so that the answer says what was waited for.
constexpr std::chrono::seconds kEnough(2);
constexpr const char* kFormat =
    "${binary:Package}\t${Version}\t${db:Status-Status}\t${db:Status-Eflag}\t${Essential}\t${Protected}\n";

bool Says(const RunResult& result, const char* text) {
  return result.err.find(text) != std::string::npos || result.out.find(text) != std::string::npos;
}

bool SaysBroken(const RunResult& result) {
  return Says(result, "parsing file '/var/lib/dpkg/") || Says(result, "failed to open package info file") ||
         Says(result, "files list file for package") || Says(result, "unable to access the dpkg database") ||
         Says(result, "info file '/var/lib/dpkg/");
}

[[noreturn]] void Broken(const RunResult& result) {
  throw Error("dpkg_broken", "dpkg's database on this host is broken: " + result.Why(),
              "compare /var/lib/dpkg/status with /var/lib/dpkg/status-old and /var/backups/dpkg.status.*, put back the "
              "newest that is whole, then look at: dpkg --audit");
}

RunOptions Quiet() {
  RunOptions options;
  options.environment = {
      {"LC_ALL", "C.UTF-8"},         {"DEBIAN_FRONTEND", "noninteractive"}, {"DEBCONF_NONINTERACTIVE_SEEN", "true"},
      {"DEBCONF_NOWARNINGS", "yes"}, {"APT_LISTCHANGES_FRONTEND", "none"},  {"UCF_FORCE_CONFFOLD", "1"},
      {"NEEDRESTART_SUSPEND", "1"}};
  options.folder = "/";
  return options;
}

}  // namespace

bool IsPlainWord(const std::string& text) {
  constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:~_";
  return !text.empty() && text.size() <= 200 && text[0] != '-' && text.find_first_not_of(kAllowed) == std::string::npos;
}

RunResult Dpkg::Query(const std::vector<std::string>& arguments) const {
  RunOptions options = Quiet();
  options.output_max = 4 << 20;
  RunResult result = Run(context_, arguments, options);
  if (!result.ok() && SaysBroken(result)) Broken(result);
  return result;
}

std::vector<PackageState> Dpkg::States(const std::vector<std::string>& names) const {
  // dpkg itself takes a database that is not there for one without packages.
  struct stat found {};
  if (stat(kStatus, &found) != 0 || found.st_size == 0) {
    Broken({.exit_code = 2, .err = std::string(kStatus) + " is missing or empty"});
  }
  std::vector<std::string> arguments = {"dpkg-query", "--show", std::string("--showformat=") + kFormat, "--"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  const RunResult shown = Query(arguments);
  // 1: one of the names is unknown.
  if (shown.exit_code != 0 && shown.exit_code != 1) Broken(shown);
  std::vector<PackageState> states;
  std::istringstream lines(shown.out);
  for (std::string line; std::getline(lines, line);) {
    PackageState state;
    std::string flag, essential, protected_flag;
    std::istringstream fields(line);
    std::getline(fields, state.name, '\t');
    std::getline(fields, state.version, '\t');
    std::getline(fields, state.status, '\t');
    std::getline(fields, flag, '\t');
    std::getline(fields, essential, '\t');
    std::getline(fields, protected_flag, '\t');
    state.reinstall_required = flag == "reinstreq";
    state.essential = essential == "yes" || protected_flag == "yes";
    states.push_back(std::move(state));
  }
  return states;
}

PackageState Dpkg::State(const std::string& name) const {
  PackageState none{.name = name};
  for (PackageState& state : States({name})) {
    // The same name may be there for several architectures: what is installed counts.
    if (none.gone()) none = std::move(state);
  }
  return none;
}

std::string Dpkg::Architecture() const {
  const RunResult said = RunOrThrow(context_, {"dpkg", "--print-architecture"}, Quiet());
  return said.out.substr(0, said.out.find('\n'));
}

bool Dpkg::IsForeignArchitecture(const std::string& architecture) const {
  std::istringstream lines(RunOrThrow(context_, {"dpkg", "--print-foreign-architectures"}, Quiet()).out);
  for (std::string line; std::getline(lines, line);) {
    if (line == architecture) return true;
  }
  return false;
}

bool Dpkg::IsEarlier(const std::string& version, const std::string& than) const {
  const RunResult said = Run(context_, {"dpkg", "--compare-versions", version, "lt", than}, Quiet());
  if (said.exit_code != 0 && said.exit_code != 1) Fail("comparing versions", said);
  return said.ok();
}

std::vector<PackageState> Dpkg::Unfinished() const {
  std::vector<PackageState> all = States({});
  std::erase_if(all, [](const PackageState& state) { return state.installed() || state.gone(); });
  return all;
}

// Held as apt holds it, so that nobody comes in between; let go when the descriptor is closed, or the process dies.
sdk::Fd Dpkg::Lock() const {
  sdk::Fd fd(open(kFrontendLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) sdk::ThrowErrno(errno, std::string("open ") + kFrontendLock);
  for (bool told = false;;) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(fd.get(), F_SETLK, &lock) == 0) return fd;
    if (errno != EACCES && errno != EAGAIN) sdk::ThrowErrno(errno, std::string("lock ") + kFrontendLock);
    context_.ThrowIfCancelled();
    if (!told) context_.Progress(-1, "waiting: another program works on packages");
    told = true;
    if (context_.TimeLeft() < kEnough) {
      throw Error("dpkg_locked", std::string("another program held ") + kFrontendLock + " until the time was over",
                  "find it with: fuser -v /var/lib/dpkg/lock-frontend; then try again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

RunResult Dpkg::Change(const std::vector<std::string>& arguments) const {
  const sdk::Fd lock = Lock();
  RunOptions options = Quiet();
  options.environment["DPKG_FRONTEND_LOCKED"] = "1";
  std::vector<std::string> all = {"dpkg"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  for (;;) {
    RunResult result = Run(context_, all, options);
    // A dpkg that somebody started by hand holds only the inner lock. It has done nothing yet: ask again.
    if (result.ok() || !Says(result, "dpkg database lock was locked by another process")) return result;
    if (context_.TimeLeft() < kEnough) {
      throw Error("dpkg_locked", "another dpkg worked on this host until the time was over", "try again later");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

RunResult Dpkg::Pretend(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"dpkg", "--no-act"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Query(all);
}

void Dpkg::Fail(const std::string& doing, const RunResult& result, const std::string& hint) {
  if (result.timed_out) throw Error("timed_out", doing + " took too long", "raise the step's timeout");
  if (Says(result, "No space left on device")) {
    throw Error("disk_full", doing + ": " + result.Why(), "make room on this host, then try again");
  }
  if (SaysBroken(result)) Broken(result);
  const bool dependency = Says(result, "dependency problems");
  const bool script = Says(result, "script subprocess returned error exit status");
  throw Error(dependency ? "dependency_missing"
              : script   ? "script_failed"
                         : "dpkg_failed",
              doing + ": " + result.Why(),
              !hint.empty() ? hint
              : dependency  ? "give the packages that are named to the same step, they are installed together"
              : script      ? "one of the package's own scripts failed: what it said stands in the message"
                            : "");
}

}  // namespace reprise::package
