// reprise-backup-judge: reads jobs from its standard input, writes outcomes to its standard output. Started by the pool
// (pool.h), confined before it opens the first file.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "plugins/backup/worker/confine.h"
#include "plugins/backup/worker/judge_one.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kMemoryMax = uint64_t{1536} << 20;
constexpr uint64_t kProgressStep = 4 << 20;
constexpr size_t kUnsaidMax = 64 << 10;
constexpr std::chrono::seconds kUnsaidFor(1);  // Who hears nothing for long takes this process for hung.

bool Write(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t wrote = write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

int Serve() {
  std::string waiting;
  size_t from = 0;
  std::string unsaid;  // Answers of small files travel together, while more of them wait.
  char buffer[65536];
  uint64_t bytes_read = 0;
  auto said_at = std::chrono::steady_clock::now();
  const auto say = [&] {
    said_at = std::chrono::steady_clock::now();
    if (from == waiting.size()) CloseFolder();  // Nothing is left to do: the disk is let go before that is said.
    const bool said = Write(unsaid);
    unsaid.clear();
    return said;
  };
  const auto progress = [&](uint64_t bytes) {
    bytes_read += bytes;
    if (bytes_read < kProgressStep) return;
    unsaid += Sent(std::exchange(bytes_read, 0), nullptr);
    say();
  };
  for (;;) {
    std::string fields[kJobFields];
    size_t field = 0;
    size_t at = from;
    for (; field < kJobFields; ++field) {
      const size_t end = waiting.find('\0', at);
      if (end == std::string::npos) break;
      fields[field] = waiting.substr(at, end - at);
      at = end + 1;
    }
    if (field < kJobFields) {
      if (!say()) return 1;
      waiting.erase(0, std::exchange(from, 0));
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return 0;
      waiting.append(buffer, static_cast<size_t>(got));
      continue;
    }
    from = at;
    const JobOutcome outcome = JudgeOne(ReceivedJob(fields), progress);
    unsaid += Sent(std::exchange(bytes_read, 0), &outcome);
    const bool due = unsaid.size() > kUnsaidMax || std::chrono::steady_clock::now() - said_at > kUnsaidFor;
    if (due && !say()) return 1;
  }
}

}  // namespace
}  // namespace reprise::backup

int main(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[1], reprise::backup::kJobFormat) != 0) {
    std::fprintf(stderr, "reprise-backup-judge: started by `reprise backup judge` and the plugin backup, of the same build\n");
    return reprise::backup::kForeignFormatExit;
  }
  if (!reprise::backup::Confine(reprise::backup::kMemoryMax)) {
    std::fprintf(stderr, "reprise-backup-judge: cannot confine itself: %s\n", std::strerror(errno));
    return 1;
  }
  return reprise::backup::Serve();
}
