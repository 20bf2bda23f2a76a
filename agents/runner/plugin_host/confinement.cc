#include "agents/runner/plugin_host/confinement.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace reprise::plugin_host {
namespace {

// No action needs these; each is a way out of the sandbox, or harms the whole host at once.
constexpr int kRefusedCalls[] = {
    // into other processes
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
    // another kernel, or code in this one
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    // another view of the files
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(open_by_handle_at),
    // the machine itself
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(nfsservctl),
    // the time, which expiry and order hang on
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(stime),
    // keys of others
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key)};

constexpr uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                     CLONE_NEWUTS | CLONE_NEWCGROUP;

bool RefuseCalls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter) return false;
  const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  for (const int call : kRefusedCalls) {
    // A call that this architecture does not have cannot be made either.
    const int added = seccomp_rule_add(filter.get(), refuse, call, 0);
    if (added != 0 && added != -EDOM) return false;
  }
  for (uint64_t flag = 1; flag <= kNamespaceFlags; flag <<= 1) {
    if ((flag & kNamespaceFlags) == 0) continue;
    if (seccomp_rule_add(filter.get(), refuse, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)) != 0) {
      return false;
    }
  }
  // Its flags are behind a pointer, which a filter cannot follow; libc falls back on clone.
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0) return false;
  return seccomp_load(filter.get()) == 0;
}

bool Limit(__rlimit_resource resource, int64_t most) {
  rlimit now{};
  if (getrlimit(resource, &now) != 0) return false;
  const rlim_t value = std::min(static_cast<rlim_t>(most), now.rlim_max);
  const rlimit wanted{value, value};
  return setrlimit(resource, &wanted) == 0;
}

}  // namespace

std::string Confine(const Limits& limits) {
  const auto failed = [](const char* what) { return std::string(what) + ": " + std::strerror(errno); };
  for (const int cgroup : limits.cgroups) {
    if (write(cgroup, "0", 1) != 1) return failed("joining the cgroup");
    close(cgroup);
  }
  constexpr int64_t kMebi = 1 << 20;
  if (!Limit(RLIMIT_CORE, 0)) return failed("RLIMIT_CORE");
  if (!Limit(RLIMIT_NOFILE, limits.open_files)) return failed("RLIMIT_NOFILE");
  if (!Limit(RLIMIT_FSIZE, limits.file_mb * kMebi)) return failed("RLIMIT_FSIZE");
#ifndef REPRISE_SANITIZED
  if (!Limit(RLIMIT_AS, limits.memory_mb * kMebi)) return failed("RLIMIT_AS");
#endif
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  if (!RefuseCalls()) return failed("seccomp");
  return "";
}

}  // namespace reprise::plugin_host
