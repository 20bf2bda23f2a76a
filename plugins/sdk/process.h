// Runs a program: by its arguments, never through a shell; with bounded output, a deadline, and an end when the verb is
// cancelled. What it starts and leaves behind is killed at the latest when the verb ends.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::sdk {

struct RunOptions {
  // Besides the deadline of the verb, which always holds.
  std::chrono::milliseconds timeout = std::chrono::hours(24);
  size_t output_max = 256 << 10;               // Of each stream; what comes after is dropped.
  std::string input;                           // Its standard input, at most 64 KiB.
  std::map<std::string, std::string> environment;  // Added to PATH, HOME, LANG, TMPDIR; nothing is inherited.
  std::filesystem::path folder;                // Where it runs; default: work_dir.
};

struct RunResult {
  int exit_code = -1;  // -1 when a signal ended it.
  int signal = 0;
  bool timed_out = false;
  bool truncated = false;
  std::string out;
  std::string err;

  bool ok() const { return exit_code == 0; }
  // "exit code 2: E: Unable to locate package foo", for messages.
  std::string Why() const;
};

// Throws Error: "not_found" (no such program), "cancelled". Anything else that the program does is a result.
RunResult Run(const Context& context, const std::vector<std::string>& arguments, const RunOptions& options = {});

// For output or input that is too large to be held.
struct Streams {
  int in = -1;                                   // Its standard input, instead of RunOptions::input; stays the caller's.
  // Gets standard output piece by piece, to its end: half an output is never taken for all of it. None: RunResult::out.
  // May throw: the program is ended then.
  std::function<void(std::string_view)> on_out;
};
RunResult RunStreaming(const Context& context, const std::vector<std::string>& arguments, const RunOptions& options,
                       const Streams& streams);

// As Run, and an Error "program_failed" unless it exits with 0.
RunResult RunOrThrow(const Context& context, const std::vector<std::string>& arguments, const RunOptions& options = {});

// ---- implementation ----

namespace process_internal {

inline std::pair<Fd, Fd> Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno(errno, "pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

using Sink = std::function<void(std::string_view)>;

// Keeps at most `max` bytes.
inline Sink KeptIn(std::string& into, size_t max, bool& truncated) {
  return [&into, max, &truncated](std::string_view piece) {
    const size_t room = max - std::min(max, into.size());
    truncated = truncated || piece.size() > room;
    into.append(piece.substr(0, room));
  };
}

// Hands on what is there; closes the stream once it has ended.
inline void Drain(Fd& stream, const Sink& sink) {
  char buffer[1 << 16];
  const ssize_t count = read(stream.get(), buffer, sizeof buffer);
  if (count > 0) sink({buffer, static_cast<size_t>(count)});
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) stream.Reset();
}

// A child in a group of its own, so that the whole of it can be told to end.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const RunOptions& options, const std::filesystem::path& folder,
        int in, int out, int err) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::map<std::string, std::string> environment = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, {"HOME", "/root"}, {"LANG", "C.UTF-8"}};
    for (const auto& [name, value] : options.environment) environment[name] = value;
    std::vector<std::string> pairs;
    for (const auto& [name, value] : environment) pairs.push_back(name + "=" + value);
    std::vector<char*> envp;
    for (std::string& pair : pairs) envp.push_back(pair.data());
    envp.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    const int failed = posix_spawnp(&pid_, argv[0], &actions, &attributes, argv.data(), envp.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) {
      throw Error("not_found", "program " + arguments[0] + " is not on this host", "install the package that has it");
    }
    if (failed != 0) ThrowErrno(failed, "start " + arguments[0]);
    pidfd_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (ended_) return;
    Signal(SIGKILL);
    Poll(0);
  }

  void Signal(int number) const { kill(-pid_, number); }
  // True once it has ended, its status taken.
  bool Poll(int flags = WNOHANG) {
    pid_t got;
    do got = waitpid(pid_, &status_, flags);
    while (got < 0 && errno == EINTR);
    return ended_ = ended_ || got == pid_ || (got < 0 && errno == ECHILD);
  }
  int status() const { return status_; }
  int pidfd() const { return pidfd_.get(); }

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace process_internal

inline std::string RunResult::Why() const {
  std::string why = timed_out     ? "took too long"
                    : signal != 0 ? "killed by signal " + std::to_string(signal)
                                  : "exit code " + std::to_string(exit_code);
  std::string text = err.empty() ? out : err;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > 400) text = "…" + text.substr(text.size() - 400);
  return text.empty() ? why : why + ": " + text;
}

inline RunResult Run(const Context& context, const std::vector<std::string>& arguments, const RunOptions& options) {
  if (options.input.size() > 65536) throw Error("internal", "input of a program is limited to 64 KiB");
  auto [in_read, in_write] = process_internal::Pipe();
  // An empty pipe takes 64 KiB at once: nobody to wait for.
  if (!options.input.empty() && write(in_write.get(), options.input.data(), options.input.size()) < 0) {
    ThrowErrno(errno, "write to a program");
  }
  in_write.Reset();
  return RunStreaming(context, arguments, options, {.in = in_read.get()});
}

inline RunResult RunStreaming(const Context& context, const std::vector<std::string>& arguments,
                              const RunOptions& options, const Streams& streams) {
  using Steady = std::chrono::steady_clock;
  if (arguments.empty()) throw Error("internal", "no program to run");
  context.ThrowIfCancelled();
  auto [out_read, out_write] = process_internal::Pipe();
  auto [err_read, err_write] = process_internal::Pipe();
  Fd nothing;
  if (streams.in < 0) nothing.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  RunOptions child_options = options;
  // The one folder that is writable in every verb: dpkg-deb needs one even to look.
  child_options.environment.emplace("TMPDIR", context.work_dir().string());
  process_internal::Child child(arguments, child_options, options.folder.empty() ? context.work_dir() : options.folder,
                                streams.in < 0 ? nothing.get() : streams.in, out_write.get(), err_write.get());
  out_write.Reset(), err_write.Reset();

  RunResult result;
  const auto out = streams.on_out ? streams.on_out
                                  : process_internal::KeptIn(result.out, options.output_max, result.truncated);
  const auto err = process_internal::KeptIn(result.err, options.output_max, result.truncated);
  const auto end = Steady::now() + std::min(options.timeout, context.TimeLeft());
  auto kill_at = Steady::time_point::max();
  auto drain_until = Steady::time_point::max();
  bool cancelled = false;
  bool ended = false;
  while (true) {
    pollfd polled[3] = {
        {out_read.get(), POLLIN, 0}, {err_read.get(), POLLIN, 0}, {ended ? -1 : child.pidfd(), POLLIN, 0}};
    poll(polled, 3, 50);  // So often it looks whether the verb is cancelled.
    if (polled[0].revents != 0) process_internal::Drain(out_read, out);
    if (polled[1].revents != 0) process_internal::Drain(err_read, err);
    const auto now = Steady::now();
    if (!ended && child.Poll()) {
      ended = true;
      // A daemon that it started may hold its streams open: take what is there, wait no longer.
      drain_until = now + (streams.on_out ? std::chrono::milliseconds(5000) : std::chrono::milliseconds(200));
    }
    if (ended && !out_read && !err_read) break;
    if (ended && now >= drain_until) {
      // Of what is handed on piece by piece, nothing shows that this was all.
      result.truncated = result.truncated || (streams.on_out && out_read);
      break;
    }
    if (!ended && kill_at == Steady::time_point::max() && (now >= end || context.Cancelled())) {
      cancelled = context.Cancelled();
      result.timed_out = !cancelled;
      child.Signal(SIGTERM);
      kill_at = now + std::chrono::seconds(1);
    }
    if (!ended && now >= kill_at) child.Signal(SIGKILL);
  }
  if (cancelled) throw Error("cancelled", arguments[0] + " was ended because the verb was asked to end");
  if (WIFEXITED(child.status())) result.exit_code = WEXITSTATUS(child.status());
  if (WIFSIGNALED(child.status())) result.signal = WTERMSIG(child.status());
  return result;
}

inline RunResult RunOrThrow(const Context& context, const std::vector<std::string>& arguments,
                            const RunOptions& options) {
  RunResult result = Run(context, arguments, options);
  if (!result.ok()) throw Error("program_failed", arguments[0] + ": " + result.Why());
  return result;
}

}  // namespace reprise::sdk
