#include "plugins/backup/worker/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

namespace reprise::backup {
namespace {

constexpr unsigned kThreadsMax = 8;
constexpr size_t kPart = 256;  // Entries that are looked at in one go.
// In a folder with so many entries one file of so many is looked at, and the others are taken to be like it.
constexpr size_t kMany = 512;
constexpr size_t kSample = 16;

using Folder = std::shared_ptr<DIR>;

std::string_view NameIn(const Entry& entry, size_t names) { return std::string_view(entry.path).substr(names); }

class Lister {
 public:
  explicit Lister(bool every) : every_(every) {}
  void Run(const std::string& folder, Listing& into) {
    folders_.push_back([this, folder, &into] { List(folder, into, /*first=*/true); });
    std::vector<std::thread> helpers;
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
    try {
      while (helpers.size() + 1 < threads) helpers.emplace_back([this] { Work(); });
    } catch (const std::system_error&) {  // Where no more threads may be had, there are fewer.
    }
    Work();
    for (std::thread& helper : helpers) helper.join();
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  using Task = std::function<void()>;

  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return failed_ || busy_ == 0 || !parts_.empty() || !folders_.empty(); });
      // Parts first: so few folders are open at once.
      std::vector<Task>& queue = parts_.empty() ? folders_ : parts_;
      if (failed_ || queue.empty()) break;
      const Task task = std::move(queue.back());
      queue.pop_back();
      ++busy_;
      lock.unlock();
      std::exception_ptr failed;
      try {
        task();
      } catch (const std::exception&) {
        failed = std::current_exception();
      }
      lock.lock();
      --busy_;
      if (failed) failed_ = failed;
      if (failed_ || busy_ == 0) changed_.notify_all();
    }
    changed_.notify_all();
  }

  void Add(std::vector<Task>& queue, Task task) {
    const std::lock_guard lock(mutex_);
    queue.push_back(std::move(task));
    changed_.notify_one();
  }

  void List(const std::string& path, Listing& into, bool first) {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (first ? 0 : O_NOFOLLOW));
    DIR* opened = fd < 0 ? nullptr : fdopendir(fd);
    if (opened == nullptr) {
      into.error = errno;
      if (fd >= 0) close(fd);
      return;
    }
    const Folder folder(opened, closedir);
    const std::string before = path.back() == '/' ? path : path + "/";
    errno = 0;
    while (const dirent* one = readdir(folder.get())) {
      const std::string_view name = one->d_name;
      if (name == "." || name == "..") continue;
      Entry& entry = into.entries.emplace_back();
      entry.path.reserve(before.size() + name.size());
      entry.path.append(before).append(name);
      entry.looked = one->d_type != DT_REG;
    }
    into.error = errno;
    const size_t names = before.size();
    std::sort(into.entries.begin(), into.entries.end(), [names](const Entry& a, const Entry& b) { return NameIn(a, names) < NameIn(b, names); });
    for (size_t at = kPart; at < into.entries.size(); at += kPart) {
      Add(parts_, [this, folder, names, &into, at] { Look(folder, names, into, at); });
    }
    Look(folder, names, into, 0);
  }

  // The entries from `at` on, one part of them; their names begin at `names` in their paths.
  void Look(const Folder& folder, size_t names, Listing& into, size_t at) {
    const size_t end = std::min(at + kPart, into.entries.size());
    const bool all = every_ || into.entries.size() < kMany;
    uint64_t size = 0;
    for (; at < end; ++at) {
      Entry& entry = into.entries[at];
      if (!entry.looked && !all && at % kSample != 0) {
        entry.mode = S_IFREG;
        entry.stamp.size = size;
        continue;
      }
      entry.looked = true;
      struct stat found {};
      if (fstatat(dirfd(folder.get()), entry.path.c_str() + names, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        entry.error = errno;
        continue;
      }
      entry.mode = found.st_mode;
      entry.stamp = StampOf(found);
      if (S_ISREG(found.st_mode)) size = entry.stamp.size;
      if (!S_ISDIR(found.st_mode)) continue;
      entry.below = std::make_unique<Listing>();
      Listing& below = *entry.below;
      Add(folders_, [this, path = entry.path, &below] { List(path, below, /*first=*/false); });
    }
  }

  const bool every_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> folders_;
  std::vector<Task> parts_;
  size_t busy_ = 0;
  std::exception_ptr failed_;
};

}  // namespace

Stamp StampOf(const struct stat& found) {
  const auto ns = [](const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return {static_cast<uint64_t>(found.st_size), ns(found.st_mtim), ns(found.st_ctim), found.st_ino, found.st_dev};
}

Listing ListingOf(const std::string& folder, bool every) {
  Listing listing;
  Lister(every).Run(folder, listing);
  return listing;
}

}  // namespace reprise::backup
