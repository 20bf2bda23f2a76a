// Starts a program without copying this process (posix_spawn), with exactly the descriptors that it should have.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace reprise::runner {

// Where the first of SpawnRequest::fds stands in the child; the others follow.
inline constexpr int kFirstPassedFd = 3;

struct SpawnRequest {
  std::vector<std::string> arguments;    // The first is the program's path.
  std::vector<std::string> environment;  // NAME=value; nothing is inherited.
  int out = -1;                          // Standard output and error; input is /dev/null.
  int err = -1;
  std::vector<int> fds;                  // Passed as 3, 4, …; all others are closed.
};

// The child leads a process group of its own, with default signals. Where parent-death signals are used, they follow the
// thread that calls this.
absl::StatusOr<pid_t> Spawn(const SpawnRequest& request);

// "exit status 3" or "signal 11 (Segmentation fault)", from a status of waitpid; 128 + n of a shell or of bubblewrap
// counts as signal n.
std::string DescribeExit(int status);

}  // namespace reprise::runner
