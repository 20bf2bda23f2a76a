#include "plugins/backup/worker/resume.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/packed.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

constexpr size_t kFileMax = size_t{4} << 30;
constexpr size_t kSum = 16;
constexpr size_t kUnwrittenMax = 1 << 20;
constexpr std::chrono::milliseconds kFlushEvery = std::chrono::seconds(1);

std::string KeyOf(const Job& job) {
  const Stamp& stamp = job.stamp;
  Packer key;
  key.Text(job.path).Text(job.name).Text(job.kind).Text(job.digest).Number(job.hash ? 1 : 0);
  key.Number(stamp.size).Number(static_cast<uint64_t>(stamp.modified_ns));
  key.Number(static_cast<uint64_t>(stamp.changed_ns)).Number(stamp.inode).Number(stamp.device);
  return std::move(key.text());
}

// A record is a line: what would end it is written otherwise.
std::string Escaped(std::string_view text) {
  std::string line;
  line.reserve(text.size() + 16);
  for (const char c : text) {
    if (c == '\n' || c == '\\') {
      line += '\\';
      line += c == '\n' ? 'n' : '\\';
    } else {
      line += c;
    }
  }
  return line;
}
std::string Unescaped(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size();
    text += escape ? (line[++i] == 'n' ? '\n' : line[i]) : line[i];
  }
  return text;
}

std::string SumOf(std::string_view text) {
  return sdk::Sha256OfText(text).substr(0, kSum);
}

// Another time it may be otherwise.
bool IsByChance(const JobOutcome& outcome) {
  const auto& findings = outcome.judged.outcome.findings;
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.sign == Sign::kUnreadable || Contains(finding.expected, "a decoder survives") ||
           Contains(finding.expected, "within the memory limit");
  });
}

}  // namespace

Resume::Resume(std::filesystem::path file, const std::string& program, Tell tell, bool writes)
    : path_(std::move(file)), tell_(std::move(tell)), flushed_(std::chrono::steady_clock::now()) {
  head_ = Words("reprise-backup-judge-state 1 ", sdk::Sha256OfFile(program), "\n");
  if (writes) {
    fd_.Reset(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
    if (!fd_) sdk::ThrowErrno(errno, "open " + path_.string());
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) sdk::ThrowErrno(errno, path_.string() + " is in use by another judge");
  }
  Load();
}

Resume::~Resume() { Flush(); }

void Resume::Load() {
  std::string text;
  try {
    text = sdk::ReadFileIfThere(path_, kFileMax).value_or("");
  } catch (const std::exception& problem) {
    tell_(Words(path_.string(), " is ignored: ", problem.what()));
  }
  const bool ours = StartsWith(text, head_);
  if (!ours && !text.empty()) {
    tell_(Words(path_.string(), " is ignored: it is of another judge, or no such file at all"));
  }
  size_t broken = 0;
  size_t sound = ours ? head_.size() : 0;
  for (size_t at = sound; ours && at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // The last one was being written.
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = sound = end + 1;
    if (line.size() <= kSum || SumOf(line.substr(kSum)) != line.substr(0, kSum)) {
      ++broken;
      continue;
    }
    const std::string record = Unescaped(line.substr(kSum));
    PackReader unpacker(record);
    std::string key(unpacker.Text());
    std::string outcome(unpacker.Text());
    if (unpacker.AtEnd()) records_[std::move(key)] = std::move(outcome);
  }
  if (broken > 0) tell_(Words(path_.string(), ": ", broken, " records are damaged and ignored"));
  if (!fd_) return;
  if (ftruncate(fd_.get(), static_cast<off_t>(sound)) != 0 || lseek(fd_.get(), 0, SEEK_END) < 0) {
    sdk::ThrowErrno(errno, "write " + path_.string());
  }
  if (!ours) unwritten_ = head_;
}

std::optional<JobOutcome> Resume::Find(const Job& job) const {
  const auto found = records_.find(KeyOf(job));
  return found == records_.end() ? std::nullopt : UnpackedOutcome(found->second);
}

void Resume::Record(const Job& job, const JobOutcome& outcome) {
  if (!fd_ || IsByChance(outcome)) return;
  Packer packer;
  packer.Text(KeyOf(job)).Text(Packed(outcome));
  const std::string line = Escaped(packer.text());
  unwritten_ += SumOf(line) + line + "\n";
  if (unwritten_.size() > kUnwrittenMax || std::chrono::steady_clock::now() - flushed_ > kFlushEvery) Flush();
}

void Resume::Flush() {
  flushed_ = std::chrono::steady_clock::now();
  for (size_t done = 0; fd_ && done < unwritten_.size();) {
    const ssize_t wrote = write(fd_.get(), unwritten_.data() + done, unwritten_.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      tell_(Words("write ", path_.string(), ": ", std::strerror(errno), "; what follows is not kept there"));
      fd_.Reset();
      break;
    }
    done += static_cast<size_t>(wrote);
  }
  unwritten_.clear();
}

}  // namespace reprise::backup
