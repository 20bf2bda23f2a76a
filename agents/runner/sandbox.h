// What bubblewrap is asked for: the arguments that stand before the program's own.
//
// Processes: an action that declares needs.processes sees the host's in /proc (and its /dev/shm), in every verb: it is for
// those that look for intruders. It may then look into each (CAP_SYS_PTRACE stays), which leads, by /proc/PID/root, to
// files that are not read-only: such a plugin is trusted not to write there. Any other sees its own processes only.
//
// Network: an action that declares needs.network false has none in any verb, not even 127.0.0.1 (sockets in the file
// system are reached). One that declares true has the host's, in every verb: what talks to a service on 127.0.0.1 must
// declare it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace reprise::runner {

struct Sandbox {
  bool writes = false;   // apply and rollback; otherwise everything but work_dir is read-only.
  bool network = false;
  bool processes = false;
  std::filesystem::path work_dir;
  std::vector<std::filesystem::path> visible;  // Files to be seen (read-only) although a hidden folder has them.
  std::vector<std::filesystem::path> hidden;
  int info_fd = -1;      // Gets {"child-pid": N}.
};

std::vector<std::string> SandboxArguments(const Sandbox& sandbox);

// The path of bwrap, or empty.
std::string FindBubblewrap();

}  // namespace reprise::runner
