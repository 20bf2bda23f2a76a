#include "agents/runner/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "agents/runner/fd.h"

namespace reprise::runner {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<pid_t> Spawn(const SpawnRequest& request) {
  // First out of the way of the numbers where they shall stand.
  constexpr int kAbove = 256;
  std::vector<Fd> sources;
  for (const int fd : request.fds) {
    sources.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, kAbove));
    if (!sources.back()) return absl::ResourceExhaustedError(absl::StrCat("no file descriptor left: ", strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, request.out, 1);
  posix_spawn_file_actions_adddup2(&actions, request.err, 2);
  int next = kFirstPassedFd;
  for (const Fd& source : sources) posix_spawn_file_actions_adddup2(&actions, source.get(), next++);
  posix_spawn_file_actions_addclosefrom_np(&actions, next);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);

  pid_t pid = -1;
  const std::vector<char*> arguments = Pointers(request.arguments);
  const std::vector<char*> environment = Pointers(request.environment);
  const int failed = posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT) return absl::NotFoundError(absl::StrCat(request.arguments[0], " is not there"));
  if (failed != 0) return absl::UnavailableError(absl::StrCat("starting ", request.arguments[0], ": ", strerror(failed)));
  return pid;
}

std::string DescribeExit(int status) {
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) > 128 && WEXITSTATUS(status) < 128 + NSIG) {
    number = WEXITSTATUS(status) - 128;
  }
  if (number != 0) {
    const char* text = sigdescr_np(number);
    return absl::StrCat("signal ", number, " (", text == nullptr ? "unknown" : text, ")");
  }
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

}  // namespace reprise::runner
