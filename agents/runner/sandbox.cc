#include "agents/runner/sandbox.h"

#include <unistd.h>

#include <string_view>

namespace reprise::runner {
namespace {

// Ways for root to change the host that do not lead through files. NET_ADMIN stays where there is network: the firewall
// cannot even be read without it.
constexpr const char* kDroppedForReading[] = {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_BOOT",
                                              "CAP_SYS_TIME", "CAP_SYS_PTRACE", "CAP_MKNOD", "CAP_LINUX_IMMUTABLE",
                                              "CAP_KILL", "CAP_SYS_NICE"};

}  // namespace

std::vector<std::string> SandboxArguments(const Sandbox& sandbox) {
  std::vector<std::string> arguments;
  const auto add = [&](std::initializer_list<std::string> words) {
    arguments.insert(arguments.end(), words.begin(), words.end());
  };
  if (sandbox.writes) {
    add({"--dev-bind", "/", "/"});
  } else {
    add({"--ro-bind", "/", "/", "--dev", "/dev"});  // Without disks: a read-only file system is one by its device too.
    add({"--unshare-uts"});
    if (geteuid() == 0) {
      for (const char* capability : kDroppedForReading) {
        if (sandbox.processes && std::string_view(capability) == "CAP_SYS_PTRACE") continue;
        add({"--cap-drop", capability});
      }
    }
    if (sandbox.processes) add({"--ro-bind-try", "/dev/shm", "/dev/shm"});
  }
  for (const auto& path : sandbox.hidden) add({"--tmpfs", path.string()});
  for (const auto& path : sandbox.visible) add({"--ro-bind", path.string(), path.string()});
  add({"--bind", sandbox.work_dir.string(), sandbox.work_dir.string()});
  if (!sandbox.processes) add({"--proc", "/proc", "--unshare-pid"});
  add({"--unshare-ipc", "--die-with-parent", "--chdir", sandbox.work_dir.string()});
  // As root, writing there changes the kernel of the whole host, namespaces or not.
  if (!sandbox.writes) add({"--ro-bind", "/proc/sys", "/proc/sys"});
  if (!sandbox.network) add({"--unshare-net"});
  if (sandbox.info_fd >= 0) add({"--info-fd", std::to_string(sandbox.info_fd)});
  return arguments;
}

std::string FindBubblewrap() {
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return "";
}

}  // namespace reprise::runner
