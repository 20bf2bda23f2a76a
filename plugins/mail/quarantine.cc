#include "plugins/mail/quarantine.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "plugins/sdk/file.h"
#include "plugins/sdk/params.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;

void WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "write " + path.string());
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

std::string Now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

}  // namespace

void Quarantine::Keep(const Infected& infected, const std::function<void(const Sink&)>& body) {
  fs::create_directories(folder_.parent_path());
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) sdk::ThrowErrno(errno, "make " + folder_.string());
  // Several boxes at once, or two batches: one writes at a time.
  const fs::path record = folder_ / "evidence.jsonl";
  sdk::Fd log(open(record.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log || flock(log.get(), LOCK_EX) != 0) sdk::ThrowErrno(errno, "open " + record.string());

  const fs::path kept = folder_ / (infected.sha256 + ".eml");
  if (!fs::exists(kept)) {
    const fs::path half = kept.string() + ".half";
    {
      sdk::Fd file(open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!file) sdk::ThrowErrno(errno, "create " + half.string());
      body([&](std::string_view piece) { WriteAll(file.get(), piece, half); });
      if (fsync(file.get()) != 0) sdk::ThrowErrno(errno, "sync " + half.string());
    }
    fs::rename(half, kept);
    sdk::SyncFolder(folder_);
  }
  // The box is told by a hash that only who has the roster can make; folder and UID tell one message of it.
  std::string path;
  for (const std::string& level : infected.folder) path += level + '\0';
  const std::string place = sdk::Sha256OfText(infected.box_hash + '\0' + path + std::to_string(infected.uid));
  const std::string text = sdk::ReadFile(record, size_t{256} << 20);
  if (text.find("\"place\":\"" + place + "\"") != std::string::npos) return;
  const sdk::Json line = {{"box", infected.box_hash}, {"bytes", infected.bytes}, {"folder_sha256", sdk::Sha256OfText(path)}, {"place", place},
                          {"sha256", infected.sha256}, {"signature", infected.signature}, {"time", Now()}, {"uid", infected.uid}};
  // A line that was being written when somebody was killed gets an end of its own.
  const std::string begin = text.empty() || text.back() == '\n' ? "" : "\n";
  WriteAll(log.get(), begin + line.dump(-1, ' ', false, sdk::Json::error_handler_t::replace) + "\n", record);
  if (fsync(log.get()) != 0) sdk::ThrowErrno(errno, "sync " + record.string());
  sdk::SyncFolder(folder_);
}

}  // namespace reprise::mail
