#include "agents/runner/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <thread>

namespace reprise::runner {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";

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

VerbCgroups VerbCgroups::Make(const std::string& name, int processes_max, int64_t memory_mb_max) {
  VerbCgroups made;
  const std::filesystem::path root(kRoot);
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
