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

// Small files are sent several at a time, so that a child never waits for its parent.
constexpr size_t kJobsAhead = 32;
constexpr uint64_t kBytesAhead = 16 << 20;
constexpr size_t kTextAhead = 32 << 10;
constexpr size_t kLineMax = 64 << 20;
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
  uint64_t BytesAhead() const {
    uint64_t bytes = 0;
    for (const Job& job : at_work) bytes += job.size;
    return bytes;
  }
  size_t TextAhead() const {
    size_t bytes = 0;
    for (const Job& job : at_work) bytes += Sent(job).size();
    return bytes;
  }

  pid_t pid = -1;
  sdk::Fd to, from;
  std::deque<Job> at_work;  // In the order in which they were sent.
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
  std::vector<char*> variables;
  for (std::string& pair : environment) variables.push_back(pair.data());
  variables.push_back(nullptr);
  std::string program = options_.program;
  char* arguments[] = {program.data(), nullptr};
  const int failed = posix_spawn(&child->pid, program.c_str(), &actions, nullptr, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    child->pid = -1;
    throw std::system_error(failed, std::generic_category(), "start " + program);
  }
  child->to = std::move(to);
  child->from = std::move(from);
  return child;
}

void Pool::Fill(Child& child, std::deque<Job>& jobs) const {
  while (!jobs.empty() && child.at_work.size() < kJobsAhead &&
         (child.at_work.empty() || child.BytesAhead() + jobs.front().size < kBytesAhead)) {
    const std::string text = Sent(jobs.front());
    // What a child may have unread always fits into its pipe: nobody ever waits for the other to read.
    if (!child.at_work.empty() && child.TextAhead() + text.size() > kTextAhead) return;
    child.at_work.push_back(std::move(jobs.front()));
    jobs.pop_front();
    if (child.at_work.size() == 1) child.last = Clock::now();
    const ssize_t wrote = write(child.to.get(), text.data(), text.size());
    if (wrote != static_cast<ssize_t>(text.size())) {
      child.to.Reset();  // It is dead, which shows when it is heard.
      return;
    }
  }
}

bool Pool::Hear(Child& child, const Done& done, const Read& read) const {
  char buffer[65536];
  const ssize_t got = ::read(child.from.get(), buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0 || child.heard.size() > kLineMax) return false;
  child.heard.append(buffer, static_cast<size_t>(got));
  child.last = Clock::now();
  size_t from = 0;
  for (size_t end = child.heard.find('\n'); end != std::string::npos; end = child.heard.find('\n', from)) {
    auto answer = ParseAnswer(std::string_view(child.heard).substr(from, end - from));
    from = end + 1;
    if (!answer) return false;
    if (answer->read > 0) read(answer->read);
    if (!answer->result) continue;
    if (child.at_work.empty()) return false;
    const Job job = std::move(child.at_work.front());
    child.at_work.pop_front();
    done(job, *std::move(answer->result));
  }
  child.heard.erase(0, from);
  return true;
}

void Pool::Bury(Child& child, std::deque<Job>& jobs, const Done& done, bool hung) const {
  int status = 0;
  if (hung) kill(child.pid, SIGKILL);
  child.to.Reset();
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.pid = -1;
  if (child.at_work.empty()) return;
  const Job culprit = std::move(child.at_work.front());
  child.at_work.pop_front();
  while (!child.at_work.empty()) {
    jobs.push_front(std::move(child.at_work.back()));
    child.at_work.pop_back();
  }
  RepositoryOutcome result;
  result.files = 1;
  result.outcome.format = "unknown";
  result.outcome.extent.bytes = std::max<uint64_t>(culprit.size, 1);
  const std::string found = hung ? Words("a decoder that read nothing for ", options_.silence_max.count() / 1000, " s")
                            : WIFSIGNALED(status) ? Words("a decoder ended by signal ", WTERMSIG(status))
                                                  : Words("a decoder that ended with code ", WEXITSTATUS(status));
  result.outcome.findings = {{Sign::kUndecided, culprit.name, 0, "content that a decoder survives", found}};
  done(culprit, std::move(result));
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
