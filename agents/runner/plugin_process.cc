#include "agents/runner/plugin_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agents/runner/bounded_json.h"
#include "agents/runner/spawn.h"

namespace reprise::runner {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kGrace(2);
constexpr size_t kHeardBytesMax = 8 << 20;
constexpr size_t kOutputTail = 4096;
constexpr std::string_view kResultHead = R"({"type":"result","result":)";
constexpr std::string_view kDescriptorHead = R"({"type":"descriptor","descriptor":)";

Fd OpenPid(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

absl::Status Errno(const char* what) { return absl::ResourceExhaustedError(absl::StrCat(what, ": ", strerror(errno))); }

std::string TextAt(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

int WholeAt(const json& line, const char* key, int otherwise) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number_integer() ? found->get<int>() : otherwise;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PluginProcess>> PluginProcess::Start(Launch launch, Listener listener) {
  std::unique_ptr<PluginProcess> process(new PluginProcess(std::move(listener), !launch.before.empty()));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Errno("socketpair");
  process->channel_.Reset(ends[0]);
  Fd their_channel(ends[1]);
  if (pipe2(ends, O_CLOEXEC) != 0) return Errno("pipe");
  process->output_.Reset(ends[0]);
  Fd their_output(ends[1]);
  if (pipe2(ends, O_CLOEXEC) != 0) return Errno("pipe");
  process->info_.Reset(ends[0]);
  Fd their_info(ends[1]);
  for (const Fd* fd : {&process->channel_, &process->output_, &process->info_}) {
    fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  }

  SpawnRequest request;
  request.environment = launch.environment;
  request.out = request.err = their_output.get();
  request.fds = {their_channel.get(), launch.plugin, launch.alive, their_info.get()};
  static_assert(kInfoFd == kFirstPassedFd + 3);
  request.arguments = launch.before;
  for (const std::string& word :
       {launch.program, std::string("--plugin"), absl::StrCat("/proc/self/fd/", kFirstPassedFd + 1),
        std::string("--fd"), absl::StrCat(kFirstPassedFd), std::string("--memory-mb"), absl::StrCat(launch.memory_mb),
        std::string("--file-mb"), absl::StrCat(launch.file_mb)}) {
    request.arguments.push_back(word);
  }
  for (const int join : launch.cgroups.join_fds()) {
    request.arguments.push_back("--cgroup-fd");
    request.arguments.push_back(absl::StrCat(kFirstPassedFd + request.fds.size()));
    request.fds.push_back(join);
  }

  absl::StatusOr<pid_t> pid = Spawn(request);
  if (!pid.ok()) return pid.status();
  process->pid_ = *pid;
  process->exited_ = OpenPid(*pid);
  process->cgroups_ = std::move(launch.cgroups);
  process->to_send_ = std::move(launch.request) + "\n";
  process->SendRequest();
  return process;
}

PluginProcess::~PluginProcess() {
  Kill();
  while (!gone_) {
    std::vector<pollfd> fds;
    Watch(fds);
    poll(fds.data(), fds.size(), 100);
    Turn(Steady::now());
  }
}

void PluginProcess::Watch(std::vector<pollfd>& into) const {
  const auto add = [&](const Fd& fd, short events) {
    if (fd) into.push_back({fd.get(), events, 0});
  };
  add(channel_, static_cast<short>(POLLIN | (to_send_.empty() ? 0 : POLLOUT)));
  add(output_, POLLIN);
  add(info_, POLLIN);
  if (!reaped_) {
    add(exited_, POLLIN);
  } else {
    add(inner_, POLLIN);
  }
}

Steady::time_point PluginProcess::NextWake() const { return kill_at_; }

void PluginProcess::Turn(Steady::time_point now) {
  if (gone_) return;
  if (now >= kill_at_) Kill();
  SendRequest();
  ReadInfo();
  ReadOutput();
  ReadChannel();
  Reap();
}

void PluginProcess::SendRequest() {
  while (channel_ && !to_send_.empty()) {
    const ssize_t count = send(channel_.get(), to_send_.data(), to_send_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    to_send_.erase(0, count <= 0 ? std::string::npos : static_cast<size_t>(count));
  }
}

void PluginProcess::ReadChannel() {
  char buffer[65536];
  while (channel_) {
    const ssize_t count = read(channel_.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return channel_.Reset();
    heard_bytes_ += static_cast<size_t>(count);
    if (heard_bytes_ > kHeardBytesMax) {
      transcript_.flooded = true;
      Kill();
      return channel_.Reset();
    }
    line_.append(buffer, static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end; (end = line_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      Hear(std::string_view(line_).substr(begin, end - begin));
    }
    line_.erase(0, begin);
  }
}

void PluginProcess::Hear(std::string_view text) {
  // A plugin shares its process with who writes these lines: none of them is believed to be well formed.
  const auto take = [&](std::string_view head, std::string& into) {
    if (text.substr(0, head.size()) != head || text.back() != '}') return false;
    const std::string_view body = text.substr(head.size(), text.size() - head.size() - 1);
    if (into.empty() && transcript_.bad_result.empty()) {
      std::string wrong = WhyNotAResult(body);
      (wrong.empty() ? into : transcript_.bad_result) = wrong.empty() ? std::string(body) : "the plugin gave " + wrong;
    }
    return true;
  };
  if (take(kResultHead, transcript_.result) || take(kDescriptorHead, transcript_.descriptor)) return;
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return;
  const std::string type = TextAt(line, "type");
  if (type == "started" && !transcript_.started) {
    transcript_.started = Steady::now();
  } else if (type == "progress" && listener_.progress) {
    const auto fraction = line.find("fraction");
    listener_.progress(fraction != line.end() && fraction->is_number() ? fraction->get<double>() : -1, TextAt(line, "text"));
  } else if (type == "log" && listener_.log) {
    listener_.log(WholeAt(line, "level", 1), TextAt(line, "text"));
  } else if (type == "bad_result") {
    transcript_.bad_result = TextAt(line, "message");
  } else if (type == "refused") {
    transcript_.refused = TextAt(line, "message");
  } else if (type == "end") {
    transcript_.ended = true;
    transcript_.returned = WholeAt(line, "errno", 0);
  }
}

void PluginProcess::ReadOutput() {
  char buffer[65536];
  // Not for ever: who writes faster than this reads would keep it here.
  for (int turns = 16; output_ && turns > 0; --turns) {
    const ssize_t count = read(output_.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return output_.Reset();
    transcript_.output.append(buffer, static_cast<size_t>(count));
    if (transcript_.output.size() > kOutputTail) transcript_.output.erase(0, transcript_.output.size() - kOutputTail);
  }
}

// {"child-pid": N, …}: the first process of the new namespace, which ends last.
void PluginProcess::ReadInfo() {
  char buffer[512];
  while (info_) {
    const ssize_t count = read(info_.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count > 0 && info_text_.size() < 4096) {
      info_text_.append(buffer, static_cast<size_t>(count));
      const json info = json::parse(info_text_, nullptr, false);
      if (!sandboxed_ || inner_ || !info.is_object()) continue;
      if (const pid_t inner = WholeAt(info, "child-pid", 0); inner > 0) inner_ = OpenPid(inner);
      continue;
    }
    return info_.Reset();
  }
}

void PluginProcess::AskToEnd(Steady::time_point now) {
  if (kill_at_ != Steady::time_point::max()) return;
  kill_at_ = now + kGrace;
  to_send_ += "{\"type\":\"cancel\"}\n";
  SendRequest();
}

void PluginProcess::Kill() {
  kill_at_ = Steady::time_point::max();
  if (inner_) syscall(SYS_pidfd_send_signal, inner_.get(), SIGKILL, nullptr, 0);
  if (!reaped_) kill(-pid_, SIGKILL);
}

void PluginProcess::Reap() {
  if (!reaped_) {
    siginfo_t ended{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    Kill();  // What it left behind goes with it; while it is not reaped, its number is nobody else's.
    while (waitpid(pid_, &transcript_.exit_status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
  }
  if (inner_) {
    pollfd ended{inner_.get(), POLLIN, 0};
    if (poll(&ended, 1, 0) == 0) return;
  }
  ReadOutput();
  ReadChannel();
  gone_ = true;
}

}  // namespace reprise::runner
