// reprise-backup-judge: reads jobs from its standard input, writes outcomes to its standard output. Started by the pool
// (pool.h), confined before it opens the first file.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "plugins/backup/worker/confine.h"
#include "plugins/backup/worker/judge_one.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kMemoryMax = uint64_t{1536} << 20;
constexpr uint64_t kProgressStep = 4 << 20;

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
  char buffer[65536];
  uint64_t unsaid = 0;
  const auto progress = [&](uint64_t bytes) {
    unsaid += bytes;
    if (unsaid < kProgressStep) return;
    Write(SentProgress(unsaid));
    unsaid = 0;
  };
  for (;;) {
    std::string fields[kJobFields];
    size_t from = 0;
    size_t field = 0;
    for (; field < kJobFields; ++field) {
      const size_t end = waiting.find('\0', from);
      if (end == std::string::npos) break;
      fields[field] = waiting.substr(from, end - from);
      from = end + 1;
    }
    if (field < kJobFields) {
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return 0;
      waiting.append(buffer, static_cast<size_t>(got));
      continue;
    }
    waiting.erase(0, from);
    const RepositoryOutcome result = JudgeOne({fields[1], fields[2], fields[0], fields[3], 0}, progress);
    if (!Write(SentProgress(unsaid) + Sent(result))) return 1;
    unsaid = 0;
  }
}

}  // namespace
}  // namespace reprise::backup

int main() {
  if (!reprise::backup::Confine(reprise::backup::kMemoryMax)) {
    std::fprintf(stderr, "reprise-backup-judge: cannot confine itself: %s\n", std::strerror(errno));
    return 1;
  }
  return reprise::backup::Serve();
}
