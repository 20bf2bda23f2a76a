#include "agents/runner/cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <string_view>
#include <thread>

namespace reprise::runner {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";
constexpr std::string_view kPrefix = "reprise-";  // Then "<process id>-<number>".

bool WriteTo(const std::filesystem::path& file, const std::string& text) {
  Fd fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// This process's path in a hierarchy: "7:cpu,pids:/a" for v1, "0::/a" (no name) for v2.
std::string OwnPath(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = first + 1 == second ? ",," : "," + line.substr(first + 1, second - first - 1) + ",";
    if (names.find("," + controller + ",") != std::string::npos) return line.substr(second + 1);
  }
  return "";
}

}  // namespace

void VerbCgroups::Add(const std::filesystem::path& folder, const std::string& file, const std::string& limit) {
  if (mkdir(folder.c_str(), 0755) != 0) return;
  Fd join(open((folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!join || !WriteTo(folder / file, limit)) {
    rmdir(folder.c_str());
    return;
  }
  groups_.push_back({folder, std::move(join)});
}

VerbCgroups VerbCgroups::Make(uint64_t number, int processes_max, int64_t memory_mb_max) {
  VerbCgroups made;
  const std::filesystem::path root(kRoot);
  const std::string name = std::string(kPrefix) + std::to_string(getpid()) + "-" + std::to_string(number);
  const std::string pids = std::to_string(processes_max);
  const std::string memory = std::to_string(memory_mb_max << 20);
  std::error_code ignored;
  if (std::filesystem::exists(root / "cgroup.controllers", ignored)) {
    const std::filesystem::path folder = root / std::filesystem::path(OwnPath("")).relative_path() / name;
    made.Add(folder, "pids.max", pids);
    if (!made.groups_.empty()) WriteTo(folder / "memory.max", memory);
    return made;
  }
  if (const std::string own = OwnPath("pids"); !own.empty()) {
    made.Add(root / "pids" / std::filesystem::path(own).relative_path() / name, "pids.max", pids);
  }
  if (const std::string own = OwnPath("memory"); !own.empty()) {
    made.Add(root / "memory" / std::filesystem::path(own).relative_path() / name, "memory.limit_in_bytes", memory);
  }
  return made;
}

void VerbCgroups::RemoveOrphans() {
  const std::filesystem::path root(kRoot);
  std::vector<std::filesystem::path> parents = {root / std::filesystem::path(OwnPath("")).relative_path()};
  for (const char* controller : {"pids", "memory"}) {
    parents.push_back(root / controller / std::filesystem::path(OwnPath(controller)).relative_path());
  }
  for (const auto& parent : parents) {
    std::error_code error;
    for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename();
      if (name.rfind(kPrefix, 0) != 0) continue;
      pid_t owner = 0;
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), owner);
      if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) rmdir(at->path().c_str());  // Fails unless it is empty.
    }
  }
}

VerbCgroups::~VerbCgroups() {
  for (Group& group : groups_) {
    // A process that has ended may still be counted for a moment.
    for (int left = 50; rmdir(group.folder.c_str()) != 0 && errno == EBUSY && left > 0; --left) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

std::vector<int> VerbCgroups::join_fds() const {
  std::vector<int> fds;
  for (const Group& group : groups_) fds.push_back(group.join.get());
  return fds;
}

}  // namespace reprise::runner
