#include "plugins/mock/faults.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::mock {
namespace {

using sdk::Context;
using sdk::Error;

[[noreturn]] void SleepForEver() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void Fail(Context& context) { throw Error("mock_failed", "told to fail", "mode: ok lets " + context.verb() + " pass"); }

// Neither looks at Cancelled() nor leaves children that do: only SIGKILL ends it.
void Hang(Context& context) {
  context.Log(sdk::LogLevel::kInfo, "hanging");
  SleepForEver();
}

void Crash(Context&) {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
}

void Leak(Context&) {
  std::vector<char*> kept;
  for (;;) {
    constexpr size_t kPiece = 8 << 20;
    kept.push_back(new char[kPiece]);
    std::memset(kept.back(), 1, kPiece);
  }
}

void Slow(Context& context) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto whole = std::chrono::milliseconds(context.Param<int64_t>("slow_ms"));
  while (Clock::now() < begin + whole) {
    context.ThrowIfCancelled();
    context.Progress(std::chrono::duration<double>(Clock::now() - begin) / whole, "slowly");
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(std::chrono::milliseconds(20), whole));
  }
}

void Deaf(Context& context) {
  std::this_thread::sleep_for(std::chrono::milliseconds(context.Param<int64_t>("slow_ms")));
}

void Huge(Context& context) {
  for (int i = 0; i < 2000; ++i) context.Log(sdk::LogLevel::kInfo, std::string(1000, 'l'));
  for (int i = 0; i < 2000; ++i) context.Progress(i / 2000.0, std::string(1000, 'p'));
  for (int i = 0; i < 2000; ++i) {
    const std::string line(1000, 'o');
    if (write(STDOUT_FILENO, line.data(), line.size()) < 0) break;
  }
}

// Children that leave their session and outlive their parent, as badly behaved daemons do.
void ForkBombSmall(Context&) {
  for (int i = 0; i < 32; ++i) {
    const pid_t child = fork();
    if (child < 0) sdk::ThrowErrno(errno, "fork");
    if (child == 0) {
      setsid();
      signal(SIGTERM, SIG_IGN);
      if (fork() != 0) _exit(0);
      prctl(PR_SET_NAME, "mock-orphan");
      for (;;) pause();
    }
  }
}

// A child in the plugin's own group that does not listen, and a plugin that does not either.
void IgnoreTerm(Context&) {
  if (fork() == 0) {
    signal(SIGTERM, SIG_IGN);
    prctl(PR_SET_NAME, "mock-deaf");
    for (;;) pause();
  }
  signal(SIGTERM, SIG_IGN);
  SleepForEver();
}

void Exit(Context&) { std::exit(0); }

// System calls that no action needs. Lists the ones that were not refused.
void Forbidden(Context&) {
  struct Try {
    const char* name;
    long (*call)();
  };
  static constexpr Try kTries[] = {
      {"mount", [] { return static_cast<long>(mount("none", "/tmp", "tmpfs", 0, nullptr)); }},
      {"umount2", [] { return static_cast<long>(umount2("/tmp", MNT_DETACH)); }},
      {"ptrace", [] { return ptrace(PTRACE_SEIZE, getppid(), nullptr, nullptr); }},
      {"unshare", [] { return static_cast<long>(unshare(CLONE_NEWNS)); }},
      {"setns", [] { return static_cast<long>(syscall(SYS_setns, 0, 0)); }},
      {"init_module", [] { return syscall(SYS_init_module, nullptr, 0, ""); }},
      {"kexec_load", [] { return syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
      {"bpf", [] { return syscall(SYS_bpf, 0, nullptr, 0); }},
      {"swapon", [] { return syscall(SYS_swapon, "/nowhere", 0); }},
      {"settimeofday", [] { return syscall(SYS_settimeofday, nullptr, nullptr); }},
      {"keyctl", [] { return syscall(SYS_keyctl, 0, -3, 1); }},
      {"open_tree", [] { return syscall(SYS_open_tree, AT_FDCWD, "/", 0); }},
      {"clone3 with a user namespace", [] { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }},
  };
  std::string allowed;
  for (const Try& attempt : kTries) {
    errno = 0;
    if (attempt.call() == 0 || errno != EPERM) allowed += std::string(" ") + attempt.name + " (" + strerror(errno) + ")";
  }
  throw Error(allowed.empty() ? "all_refused" : "not_refused", "not refused:" + allowed);
}

void Tell(Context& context) {
  context.Log(sdk::LogLevel::kInfo, "the secret is " + context.Param("secret", std::string()));
}

// Writes where its verb may not.
void Meddle(Context& context) { sdk::WriteFileAtomically(context.Param("state_file"), "meddled\n"); }

struct Mode {
  const char* name;
  void (*strike)(Context&);
};
// Every mode; those without a function are handled by the actions.
constexpr Mode kModes[] = {
    {"ok", nullptr},
    {"lie", nullptr},                      // says that it did, does nothing
    {"fail", Fail},                        // an error
    {"hang", Hang},                        // never ends
    {"crash", Crash},                      // segmentation fault
    {"leak", Leak},                        // all the memory it gets
    {"slow", Slow},                        // takes slow_ms, with progress, ends when asked
    {"deaf", Deaf},                        // takes slow_ms, does not listen
    {"huge", Huge},                        // megabytes of log, progress, output and result
    {"fork_bomb_small", ForkBombSmall},    // leaves 32 daemons behind
    {"ignore_term", IgnoreTerm},           // does not end when asked, nor does its child
    {"exit", Exit},                        // ends the process without an answer
    {"forbidden", Forbidden},              // tries system calls that must be refused
    {"tell", Tell},                        // logs the secret
    {"meddle", Meddle},                    // writes state_file, whatever the verb
};

bool IsItsVerb(const Context& context) {
  return context.Param("at") == "any" || context.Param("at") == context.verb();
}

// True while the first fail_times calls are not used up; counts in a file, for a verb has no memory.
bool StillToFail(Context& context) {
  const auto times = context.Param<int64_t>("fail_times");
  if (times == 0) return true;
  const std::string file = context.Param("counter", context.Param("state_file") + ".count");
  const int64_t before = std::atoll(sdk::ReadFileIfThere(file).value_or("0").c_str());
  if (before >= times) return false;
  sdk::WriteFileAtomically(file, std::to_string(before + 1));
  return true;
}

}  // namespace

sdk::Params CommonParams(const char* default_at) {
  return {sdk::Text("mode")
              .OneOf({"ok", "lie", "fail", "hang", "crash", "leak", "slow", "deaf", "huge", "fork_bomb_small",
                      "ignore_term", "exit", "forbidden", "tell", "meddle"})
              .Default("ok")
              .About("What goes wrong"),
          sdk::Text("at")
              .OneOf({"any", "probe", "plan", "apply", "verify", "rollback"})
              .Default(default_at)
              .About("In which verb"),
          sdk::Path("state_file").Required().About("The file that this action is about"),
          sdk::Text("content").Default("reprise\n").About("What it should hold"),
          sdk::Path("witness").About("Gets a line for each effect"),
          sdk::Text("tag").Default("-").About("Shown in the witness's line"),
          sdk::Integer("fail_times").Range(0, 1'000'000).Default(0).About("Only so many first calls; 0: all"),
          sdk::Path("counter").About("Where fail_times counts; default: state_file with .count"),
          sdk::Integer("slow_ms").Range(0, 3'600'000).Default(0).About("How long slow takes"),
          sdk::Text("secret").Secret().About("Something that must not be told")};
}

void Strike(Context& context) {
  const std::string wanted = context.Param("mode");
  if (wanted == "ok" || !IsItsVerb(context) || !StillToFail(context)) return;
  for (const Mode& mode : kModes) {
    if (wanted == mode.name && mode.strike != nullptr) mode.strike(context);
  }
}

bool Lies(const Context& context) { return context.Param("mode") == "lie" && IsItsVerb(context); }

std::string Summary(const Context& context, const std::string& honest) {
  return context.Param("mode") == "huge" && IsItsVerb(context) ? std::string(4 << 20, 'h') : honest;
}

}  // namespace reprise::mock
