#include "plugins/backup/worker/confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <memory>

namespace reprise::backup {
namespace {

bool Limit(decltype(RLIMIT_AS) what, uint64_t most) {
  const rlimit limit{most, most};
  return setrlimit(what, &limit) == 0;
}

// Whatever is not named here fails with EPERM.
constexpr int kAllowed[] = {
    SCMP_SYS(read),         SCMP_SYS(pread64),       SCMP_SYS(write),
    SCMP_SYS(close),        SCMP_SYS(lseek),         SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),   SCMP_SYS(stat),          SCMP_SYS(lstat),
    SCMP_SYS(statx),        SCMP_SYS(getdents64),    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),   SCMP_SYS(access),        SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),   SCMP_SYS(fadvise64),     SCMP_SYS(mmap),
    SCMP_SYS(munmap),       SCMP_SYS(mremap),        SCMP_SYS(mprotect),
    SCMP_SYS(madvise),      SCMP_SYS(brk),           SCMP_SYS(futex),
    SCMP_SYS(getrandom),    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(time),         SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),   SCMP_SYS(exit),
    SCMP_SYS(exit_group),   SCMP_SYS(getpid),        SCMP_SYS(gettid),
    SCMP_SYS(tgkill),       SCMP_SYS(sched_yield),   SCMP_SYS(restart_syscall),
    SCMP_SYS(getcwd),       SCMP_SYS(geteuid),       SCMP_SYS(getuid),
    SCMP_SYS(poll),         SCMP_SYS(sysinfo),       SCMP_SYS(fstatfs),
};

bool Filter() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release);
  if (!filter) return false;
  for (const int call : kAllowed) {
    if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) != 0) return false;
  }
  // Files are opened for reading only.
  constexpr int kWriting = O_ACCMODE | O_CREAT | O_TRUNC;
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                       SCMP_A2(SCMP_CMP_MASKED_EQ, kWriting, O_RDONLY)) != 0) {
    return false;
  }
  for (const int command : {F_GETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC}) {  // Walking folders.
    if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                         SCMP_A1(SCMP_CMP_EQ, static_cast<unsigned>(command))) != 0) {
      return false;
    }
  }
  return seccomp_load(filter.get()) == 0;
}

}  // namespace

bool Confine(uint64_t memory_max) {
  const bool quiet = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                     Limit(RLIMIT_CORE, 0) && Limit(RLIMIT_FSIZE, 0);
#ifdef REPRISE_SANITIZED  // Its runtime maps terabytes, and makes calls of its own.
  static_cast<void>(memory_max);
  static_cast<void>(Filter);
  return quiet;
#else
  return quiet && Limit(RLIMIT_AS, memory_max) && Filter();
#endif
}

}  // namespace reprise::backup
