#include "plugins/backup/worker/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "plugins/backup/judge/words.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

using Clock = std::chrono::steady_clock;

// Small files are sent many at a time, so that a child never waits for its parent.
constexpr size_t kJobsAhead = 4096;
constexpr size_t kPrepared = 2;  // Children that even a small folder has work for.
constexpr uint64_t kBytesAhead = 16 << 20;
constexpr int kPipe = 1 << 20;
constexpr size_t kHearMax = 64 << 10;
constexpr int kLookMs = 200;

// All that a child inherits of the environment.
constexpr const char* kPassed[] = {"RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE"};

std::pair<sdk::Fd, sdk::Fd> Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) sdk::ThrowErrno(errno, "pipe");
  return {sdk::Fd(ends[0]), sdk::Fd(ends[1])};
}

}  // namespace

struct Pool::Child {
  ~Child() {
    to.Reset();
    if (pid <= 0) return;
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_t pid = -1;
  sdk::Fd to, from;
  std::deque<Job> at_work;  // In the order in which they were sent.
  uint64_t bytes_ahead = 0;
  size_t text_ahead = 0;
  size_t text_max = 0;      // What its pipe takes: nobody ever waits for the other to read.
  std::string heard;
  Clock::time_point last = Clock::now();
};

Pool::Pool(PoolOptions options) : options_(std::move(options)) {}
Pool::~Pool() = default;

std::unique_ptr<Pool::Child> Pool::Start() const {
  auto child = std::make_unique<Child>();
  auto [in, to] = Pipe();
  auto [from, out] = Pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  for (const char* name : kPassed) {
    if (const char* value = std::getenv(name)) environment.push_back(Words(name, "=", value));
  }
  for (const auto& [name, value] : options_.environment) environment.push_back(Words(name, "=", value));
  std::vector<char*> variables;
  for (std::string& pair : environment) variables.push_back(pair.data());
  variables.push_back(nullptr);
  std::string program = options_.program;
  std::string format = kJobFormat;
  char* arguments[] = {program.data(), format.data(), nullptr};
  const int failed = posix_spawn(&child->pid, program.c_str(), &actions, nullptr, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    child->pid = -1;
    throw std::system_error(failed, std::generic_category(), "start " + program);
  }
  // Larger pipes are less waking; who may not have them gets the usual ones.
  const int size = fcntl(to.get(), F_SETPIPE_SZ, kPipe);
  fcntl(from.get(), F_SETPIPE_SZ, kPipe);
  child->text_max = static_cast<size_t>(size > 0 ? size : 65536) / 2;
  child->to = std::move(to);
  child->from = std::move(from);
  return child;
}

void Pool::Fill(Child& child, std::deque<Job>& jobs) const {
  // Topped up when half of it is done; towards the end shared out.
  const size_t most = std::clamp<size_t>(jobs.size() / (2 * options_.children + 1), 1, kJobsAhead);
  if (child.at_work.size() > most / 2) return;
  std::string texts;
  while (!jobs.empty() && child.at_work.size() < most) {
    Job& next = jobs.front();
    const std::string text = Sent(next);
    const bool first = child.at_work.empty();
    if (!first && (next.alone || child.at_work.front().alone)) break;
    if (!first && child.bytes_ahead + next.size >= kBytesAhead) break;
    if (!first && child.text_ahead + SentSize(next) > child.text_max) break;
    if (first) child.last = Clock::now();
    child.bytes_ahead += next.size;
    child.text_ahead += SentSize(next);
    texts += text;
    child.at_work.push_back(std::move(next));
    jobs.pop_front();
  }
  for (size_t done = 0; done < texts.size();) {
    const ssize_t wrote = write(child.to.get(), texts.data() + done, texts.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return child.to.Reset();  // It is dead, which shows when it is heard.
    done += static_cast<size_t>(wrote);
  }
}

bool Pool::Hear(Child& child, const Done& done, const Read& read) const {
  char buffer[kHearMax];
  const ssize_t got = ::read(child.from.get(), buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  child.heard.append(buffer, static_cast<size_t>(got));
  if (got == 0 || child.heard.size() > kFrameMax) return false;
  child.last = Clock::now();
  uint64_t bytes = 0;
  size_t from = 0;
  while (const size_t size = FrameAt(std::string_view(child.heard).substr(from))) {
    auto answer = ParseAnswer(std::string_view(child.heard).substr(from, size));
    from += size;
    if (!answer) return false;
    bytes += answer->read;
    if (!answer->outcome) continue;
    if (child.at_work.empty()) return false;
    const Job job = std::move(child.at_work.front());
    child.at_work.pop_front();
    child.bytes_ahead -= job.size;
    child.text_ahead -= SentSize(job);
    done(job, *std::move(answer->outcome));
  }
  child.heard.erase(0, from);
  if (bytes > 0) read(bytes);
  return true;
}

void Pool::Bury(Child& child, std::deque<Job>& jobs, const Done& done, bool hung) const {
  int status = 0;
  if (hung) kill(child.pid, SIGKILL);
  child.to.Reset();
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.pid = -1;
  if (!hung && WIFEXITED(status) && WEXITSTATUS(status) == kForeignFormatExit) {
    throw sdk::Error("foreign_program", options_.program + " is of another build than what started it",
                     "install both from the same package");
  }
  if (child.at_work.empty()) return;
  if (child.at_work.size() > 1) {
    // It may have been any of those whose answers were still to be said.
    for (; !child.at_work.empty(); child.at_work.pop_back()) {
      child.at_work.back().alone = true;
      jobs.push_front(std::move(child.at_work.back()));
    }
    return;
  }
  const Job culprit = std::move(child.at_work.front());
  child.at_work.pop_front();
  JobOutcome outcome;
  outcome.judged.files = 1;
  outcome.judged.outcome.format = "unknown";
  outcome.judged.outcome.extent.bytes = std::max<uint64_t>(culprit.size, 1);
  const std::string found = hung ? Words("a decoder that read nothing for ", options_.silence_max.count() / 1000, " s")
                            : WIFSIGNALED(status) ? Words("a decoder ended by signal ", WTERMSIG(status))
                                                  : Words("a decoder that ended with code ", WEXITSTATUS(status));
  outcome.judged.outcome.findings = {{Sign::kUndecided, culprit.name, 0, "content that a decoder survives", found}};
  done(culprit, std::move(outcome));
}

void Pool::Prepare() {
  while (children_.size() < std::min(kPrepared, options_.children)) children_.push_back(Start());
}

void Pool::Run(std::deque<Job> jobs, const Done& done, const Read& read) {
  const auto busy = [&] {
    return std::any_of(children_.begin(), children_.end(), [](const auto& child) { return !child->at_work.empty(); });
  };
  // Writing to a child that has just died must be an error, not the end of this process.
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  const std::unique_ptr<struct sigaction, void (*)(struct sigaction*)> restore(
      &before, [](struct sigaction* action) { sigaction(SIGPIPE, action, nullptr); });
  while (!jobs.empty() || busy()) {
    while (!jobs.empty() && children_.size() < std::max<size_t>(options_.children, 1)) {
      children_.push_back(Start());
      Fill(*children_.back(), jobs);
    }
    for (const auto& child : children_) Fill(*child, jobs);
    std::vector<pollfd> waits;
    for (const auto& child : children_) waits.push_back({child->from.get(), POLLIN, 0});
    poll(waits.data(), waits.size(), kLookMs);
    read(0);
    for (size_t i = waits.size(); i-- > 0;) {
      Child& child = *children_[i];
      const bool alive = waits[i].revents == 0 || Hear(child, done, read);
      const bool hung = alive && !child.at_work.empty() && Clock::now() - child.last > options_.silence_max;
      if (alive && !hung) continue;
      Bury(child, jobs, done, hung);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace reprise::backup
