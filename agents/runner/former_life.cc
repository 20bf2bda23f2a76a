#include "agents/runner/former_life.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "agents/runner/fd.h"

namespace reprise::runner {
namespace {

namespace fs = std::filesystem;

bool Holds(const fs::path& process, const struct stat& mark) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
    struct stat file {};
    if (stat(entry->path().c_str(), &file) == 0 && file.st_dev == mark.st_dev && file.st_ino == mark.st_ino) return true;
  }
  return false;
}

}  // namespace

void EndHolders(int mark) {
  struct stat wanted {};
  if (fstat(mark, &wanted) != 0) return;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || rest != name.data() + name.size() || pid == getpid()) continue;
    // Held before it is looked at: then the number cannot meanwhile become another process's.
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process || !Holds(entry->path(), wanted)) continue;
    syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  }
}

}  // namespace reprise::runner
