#include "plugins/sanitize/integrity.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "plugins/sanitize/digest.h"

namespace reprise::sanitize {
namespace {

struct Compared {
  const std::string* path;
  const PackagedFile* file;  // Null: only the golden manifest knows it.
};

std::string Head(int fd) {
  char bytes[4];
  const ssize_t count = pread(fd, bytes, sizeof bytes, 0);
  return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : "";
}

bool MayBeLacking(const std::string& path) {
  for (const char* folder : {"/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info",
                             "/usr/share/lintian", "/usr/share/help", "/usr/share/gnome"}) {
    if (IsBelow(path, folder)) return true;
  }
  return false;
}

class Comparer {
 public:
  explicit Comparer(Examination& on) : on_(on) {}

  void One(const Compared& one) {
    const std::string& path = *one.path;
    const auto golden = on_.golden.find(path);
    const bool by_golden = golden != on_.golden.end();
    const sdk::Fd fd = on_.tree.Open(path);
    struct stat found {};
    if (!fd) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return Missing(one);
      return on_.report.Unseen(path, std::generic_category().message(errno));
    }
    if (fstat(fd.get(), &found) != 0) return on_.report.Unseen(path, std::generic_category().message(errno));
    const std::string head = Head(fd.get());
    std::string digest = "(no regular file)";
    if (S_ISREG(found.st_mode)) digest = DigestOfFd(fd.get(), by_golden ? EVP_sha256() : EVP_md5());
    ++files_, bytes_ += static_cast<uint64_t>(found.st_size);
    const std::string& expected = by_golden ? golden->second : one.file->md5;
    if (digest == expected) return;
    const bool conffile = one.file != nullptr && one.file->conffile;
    if (conffile && !by_golden && !StartsThings(path)) return on_.report.Note("configuration that differs from its package", path);
    Finding finding = {.kind = "altered_file",
                       .path = path,
                       .expected = (by_golden ? "sha256 " : "md5 ") + expected,
                       .found = (by_golden ? "sha256 " : "md5 ") + digest};
    const bool code = IsCode(path, found.st_mode, head);
    finding.sure = conffile ? Sure::kLikely : code ? Sure::kCertain : Sure::kPossible;
    if (one.file != nullptr) {
      finding.remedy = Remedy::kRestoreFile;
      finding.package = on_.records.packages()[one.file->package];
      finding.expected += " of package " + finding.package;
    }
    // What a hunt of its own reads line by line is judged there.
    if (conffile && (path == "/etc/crontab" || path == "/etc/anacrontab" || IsBelow(path, "/etc/pam.d"))) {
      return on_.report.Note("configuration that differs from its package", path);
    }
    finding.sha256 = on_.tree.Sha256(path);
    on_.report.Add(std::move(finding));
  }

  void Tell() {
    on_.report.Count("files_verified", files_);
    on_.report.Count("bytes_verified", bytes_);
  }

 private:
  void Missing(const Compared& one) {
    const std::string& path = *one.path;
    const bool conffile = one.file != nullptr && one.file->conffile;
    if (conffile || MayBeLacking(path) || on_.records.IsExcluded(path)) {
      return on_.report.Note("files of packages that are not there", path);
    }
    Finding finding = {.kind = "missing_file", .path = path, .expected = "here", .found = "not here", .sure = Sure::kPossible};
    if (one.file != nullptr) {
      finding.remedy = Remedy::kRestoreFile;
      finding.package = on_.records.packages()[one.file->package];
      finding.expected = "md5 " + one.file->md5 + " of package " + finding.package;
    }
    on_.report.Add(std::move(finding));
  }

  Examination& on_;
  uint64_t files_ = 0, bytes_ = 0;
};

}  // namespace

bool StartsThings(const std::string& path) {
  for (const char* folder :
       {"/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/crontab",
        "/etc/anacrontab", "/etc/pam.d", "/etc/profile.d", "/etc/bash.bashrc", "/etc/profile", "/etc/zsh", "/etc/init.d",
        "/etc/rc.local", "/etc/systemd/system", "/etc/systemd/user", "/etc/sudoers", "/etc/sudoers.d", "/etc/udev/rules.d",
        "/etc/modprobe.d", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/update-motd.d", "/etc/apt/apt.conf.d",
        "/etc/network/if-up.d", "/etc/network/if-pre-up.d", "/etc/sv", "/etc/X11/Xsession.d", "/etc/xdg/autostart"}) {
    if (IsBelow(path, folder)) return true;
  }
  return false;
}

bool IsCode(const std::string& path, mode_t mode, const std::string& head) {
  if ((mode & 0111) != 0 || head.compare(0, 4, "\x7f" "ELF") == 0 || head.compare(0, 2, "#!") == 0) return true;
  const size_t dot = path.rfind('.');
  const std::string ending = dot == std::string::npos || path.find('/', dot) != std::string::npos ? "" : path.substr(dot);
  for (const char* code : {".so", ".ko", ".py", ".pth", ".pl", ".pm", ".sh", ".rb", ".php", ".jar", ".js"}) {
    if (ending == code) return true;
  }
  return path.find(".so.") != std::string::npos || path.find(".ko.") != std::string::npos;
}

void ComparePackagedFiles(Examination& on) {
  std::vector<Compared> all;
  const auto add = [&](const std::string& path, const PackagedFile* file) {
    if (on.IsExcluded(path)) return on.report.Note("not compared: excluded by the step", path);
    all.push_back({&path, file});
  };
  for (const auto& [path, file] : on.records.files()) {
    if (!file.md5.empty()) add(path, &file);
  }
  for (const auto& [path, sha256] : on.golden) {
    const PackagedFile* file = on.records.Find(path);
    if (file == nullptr || file->md5.empty()) add(path, file);
  }
  // In the order of folders, which is about that of the disk.
  std::sort(all.begin(), all.end(), [](const Compared& a, const Compared& b) { return *a.path < *b.path; });
  constexpr size_t kBatch = 256;
  std::atomic<size_t> next{0};
  std::atomic<bool> go_on{true};
  const auto work = [&](bool leads) {
    Comparer comparer(on);
    while (go_on) {
      const size_t begin = next.fetch_add(kBatch);
      if (begin >= all.size()) break;
      // Only one thread asks for the time, and may be told to end.
      if (leads) {
        on.context.Progress(0.7 * static_cast<double>(begin) / static_cast<double>(all.size()),
                            std::to_string(begin) + " of " + std::to_string(all.size()) + " packages' files");
        if (on.context.Cancelled() || !on.GoOn("packages' files")) go_on = false;
      }
      for (size_t i = begin; go_on && i < std::min(all.size(), begin + kBatch); ++i) {
        try {
          comparer.One(all[i]);
        } catch (const std::exception& error) {
          on.report.Unseen(*all[i].path, error.what());
        }
      }
    }
    comparer.Tell();
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::min(4u, std::thread::hardware_concurrency()); ++i) helpers.emplace_back(work, false);
  work(true);
  for (std::thread& helper : helpers) helper.join();
  on.context.ThrowIfCancelled();
}

}  // namespace reprise::sanitize
