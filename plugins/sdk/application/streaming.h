// Runs a program whose output or input is too large to be held: its standard output is handed on piece by piece, its
// standard input is a file. Otherwise as sdk::Run: an argument list, no shell, a deadline, an end when the verb is cancelled.
#pragma once

#include <pwd.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/process.h"

namespace reprise::sdk::application {

struct Streams {
  int in = -1;                                       // Read from here; -1: nothing to read. Stays the caller's.
  std::function<void(std::string_view)> on_out;      // May throw: the program is ended then. None: kept in RunResult::out.
};

inline RunResult RunStreaming(const Context& context, const std::vector<std::string>& arguments,
                              const RunOptions& options, const Streams& streams) {
  using Steady = std::chrono::steady_clock;
  auto [out_read, out_write] = process_internal::Pipe();
  auto [err_read, err_write] = process_internal::Pipe();
  Fd nothing;
  if (streams.in < 0) nothing.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto folder = options.folder.empty() ? context.work_dir() : options.folder;
  process_internal::Child child(arguments, options, folder, streams.in < 0 ? nothing.get() : streams.in,
                                out_write.get(), err_write.get());
  out_write.Reset(), err_write.Reset();

  RunResult result;
  std::vector<char> buffer(1 << 16);
  const auto end = Steady::now() + std::min(options.timeout, context.TimeLeft());
  auto kill_at = Steady::time_point::max(), drain_until = Steady::time_point::max();
  bool ended = false, cancelled = false;
  while (true) {
    pollfd polled[3] = {
        {out_read.get(), POLLIN, 0}, {err_read.get(), POLLIN, 0}, {ended ? -1 : child.pidfd(), POLLIN, 0}};
    poll(polled, 3, 50);
    if (polled[0].revents != 0) {
      const ssize_t count = read(out_read.get(), buffer.data(), buffer.size());
      if (count > 0 && streams.on_out) {
        streams.on_out({buffer.data(), static_cast<size_t>(count)});
      } else if (count > 0) {
        const size_t room = options.output_max - std::min(options.output_max, result.out.size());
        result.truncated = result.truncated || static_cast<size_t>(count) > room;
        result.out.append(buffer.data(), std::min(room, static_cast<size_t>(count)));
      } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        out_read.Reset();
      }
    }
    if (polled[1].revents != 0 &&
        !process_internal::ReadSome(err_read.get(), result.err, options.output_max, result.truncated)) {
      err_read.Reset();
    }
    const auto now = Steady::now();
    if (!ended && child.Poll()) {
      ended = true;
      drain_until = now + std::chrono::seconds(5);
    }
    // Everything that it wrote is read: half an output is never taken for all of it.
    if (ended && !out_read && (!err_read || now >= drain_until)) break;
    if (ended && now >= drain_until) {
      result.truncated = true;
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

// The words by which setpriv becomes `user` with his own groups. Throws Error "no_user".
inline std::vector<std::string> UserWords(const std::string& user) {
  const passwd* found = getpwnam(user.c_str());
  if (found == nullptr) {
    throw Error("no_user", "user " + user + " is not on this host", "install the package that brings it, or name another in the profile");
  }
  return {"--reuid=" + std::to_string(found->pw_uid), "--regid=" + std::to_string(found->pw_gid), "--init-groups", "--no-new-privs"};
}

// The arguments that run `program` as another user who cannot become more than that.
inline std::vector<std::string> AsUser(const std::string& user, const std::vector<std::string>& program) {
  std::vector<std::string> arguments = {"setpriv"};
  for (std::string& word : UserWords(user)) arguments.push_back(std::move(word));
  arguments.push_back("--");
  arguments.insert(arguments.end(), program.begin(), program.end());
  return arguments;
}

}  // namespace reprise::sdk::application
