#include "plugins/backup/worker/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>

#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

Stamp StampOf(const struct stat& found) {
  const auto ns = [](const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return {static_cast<uint64_t>(found.st_size), ns(found.st_mtim), ns(found.st_ctim), found.st_ino, found.st_dev};
}

// Of many files: another one as soon as any of them is.
void Mix(const std::string& name, const Stamp& one, Stamp& all) {
  uint64_t mixed = std::hash<std::string>()(name);
  for (const uint64_t part : {one.size, static_cast<uint64_t>(one.modified_ns), static_cast<uint64_t>(one.changed_ns),
                              one.inode, one.device}) {
    mixed = (mixed ^ part) * 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 29;
  }
  all.size += one.size;
  all.inode += mixed;  // In whatever order they come.
  all.modified_ns = std::max(all.modified_ns, one.modified_ns);
  all.changed_ns = std::max(all.changed_ns, one.changed_ns);
  all.device = one.device;
}

class Collector {
 public:
  Collector(const fs::path& root, Inventory& into) : root_(root.string()), into_(into) {}

  void Folder(const std::string& folder) {
    const Repository* repository = RepositoryAt(repositories_, folder);
    Stamp all;
    Walk(folder, [&](const std::string& path, const struct stat& found) {
      if (S_ISDIR(found.st_mode)) return repository == nullptr ? Folder(path) : Inside(path, all);
      Other(path, found, repository != nullptr, all);
    });
    if (repository == nullptr) return;
    Job job{folder, NameOf(folder), repository->name(), "", all.size};
    job.stamp = all;
    into_.jobs.push_back(std::move(job));
    into_.bytes += all.size;
  }

  void File(const std::string& path, const struct stat& found) {
    into_.jobs.push_back(JobOf(path, "file", found));
    into_.bytes += into_.jobs.back().size;
    into_.newest_ns = std::max(into_.newest_ns, into_.jobs.back().stamp.modified_ns);
  }

 private:
  using Entry = std::function<void(const std::string& path, const struct stat& found)>;

  // One look at each entry: there may be a hundred thousand.
  void Walk(const std::string& folder, const Entry& entry) {
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), closedir);
    if (!listing) {
      into_.findings.push_back({Sign::kUnreadable, NameOf(folder), 0, "a folder that can be read", std::strerror(errno)});
      return;
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* one = readdir(listing.get())) {
      const std::string_view name = one->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) {
      into_.findings.push_back({Sign::kUnreadable, NameOf(folder), 0, "a folder that can be read", std::strerror(errno)});
    }
    std::sort(names.begin(), names.end());
    const std::string before = EndsWith(folder, "/") ? folder : folder + "/";
    for (const std::string& name : names) {
      struct stat found {};
      if (fstatat(dirfd(listing.get()), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        into_.findings.push_back({Sign::kUnreadable, NameOf(before + name), 0, "a file that stays", std::strerror(errno)});
        continue;
      }
      entry(before + name, found);
    }
  }

  // Of a repository: every file is for the manifest, all of them together are one job.
  void Inside(const std::string& folder, Stamp& all) {
    Walk(folder, [&](const std::string& path, const struct stat& found) {
      if (S_ISDIR(found.st_mode)) return Inside(path, all);
      Other(path, found, true, all);
    });
  }

  void Other(const std::string& path, const struct stat& found, bool inside, Stamp& all) {
    if (S_ISREG(found.st_mode) && !inside) return File(path, found);
    if (S_ISREG(found.st_mode)) {
      into_.inside.push_back(JobOf(path, kHashOnly, found));
      Mix(into_.inside.back().name, into_.inside.back().stamp, all);
      into_.newest_ns = std::max(into_.newest_ns, into_.inside.back().stamp.modified_ns);
    } else if (!S_ISLNK(found.st_mode) && !inside) {
      into_.findings.push_back({Sign::kUndecided, NameOf(path), 0, "a file or a folder", "something else"});
    }
  }

  Job JobOf(const std::string& path, const char* kind, const struct stat& found) const {
    Job job{path, NameOf(path), kind, "", static_cast<uint64_t>(found.st_size)};
    job.stamp = StampOf(found);
    return job;
  }
  std::string NameOf(const std::string& path) const {
    if (path.size() > root_.size() && path.compare(0, root_.size(), root_) == 0) {
      const size_t from = root_.size() + (path[root_.size()] == '/' ? 1 : 0);
      if (path[root_.size()] == '/' || EndsWith(root_, "/")) return path.substr(from);
    }
    return fs::path(path).filename().string();
  }

  const std::string root_;
  Inventory& into_;
  const std::vector<std::unique_ptr<Repository>> repositories_ = AllRepositories();
};

bool IsHex(std::string_view text) {
  return (text.size() == 32 || text.size() == 40 || text.size() == 64 || text.size() == 128) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsLowerHex(Lower({&c, 1})[0]);
         });
}

// "hex  name", "hex *name", "SHA256 (name) = hex"
bool ParseLine(std::string_view line, std::string& digest, std::string& name) {
  const size_t space = line.find(' ');
  if (space != std::string_view::npos && IsHex(line.substr(0, space))) {
    digest = std::string(line.substr(0, space));
    std::string_view rest = line.substr(space + 1);
    if (!rest.empty() && (rest[0] == ' ' || rest[0] == '*')) rest.remove_prefix(1);
    name = std::string(rest);
    return !name.empty();
  }
  const size_t open = line.find(" (");
  const size_t close = line.rfind(") = ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2 ||
      !IsHex(line.substr(close + 4)))
    return false;
  digest = std::string(line.substr(close + 4));
  name = std::string(line.substr(open + 2, close - open - 2));
  return true;
}

}  // namespace

Inventory InventoryOf(const fs::path& path) {
  Inventory inventory;
  fs::path plain = path.lexically_normal();
  if (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();
  Collector collector(plain, inventory);
  struct stat found {};
  const bool there = stat(plain.c_str(), &found) == 0;  // What was asked for may be a link.
  if (there && S_ISDIR(found.st_mode)) {
    collector.Folder(plain.string());
  } else if (there && S_ISREG(found.st_mode)) {
    std::error_code error;
    const fs::path file = fs::canonical(plain, error);
    collector.File((error ? plain : file).string(), found);
    inventory.jobs.front().name = plain.filename().string();
  } else {
    inventory.findings.push_back({Sign::kUnreadable, plain.string(), 0, "a file or a folder",
                                  there ? "something else" : std::strerror(errno)});
  }
  return inventory;
}

bool IsManifestName(const std::string& name) {
  const std::string low = Lower(BaseName(name));
  for (const char* end : {".sha256", ".sha512", ".sha1", ".md5", ".sha256sum", ".sha512sum", ".md5sum", "sums",
                          "sums.txt", "checksums.txt", "manifest.txt", "manifest"}) {
    if (EndsWith(low, end)) return true;
  }
  return false;
}

Manifest ParseManifest(const std::string& name, const std::string& text) {
  Manifest manifest;
  manifest.name = name;
  const fs::path folder = fs::path(name).parent_path();
  size_t odd = 0;
  uint64_t first_odd = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = Strip(std::string_view(text).substr(at, end - at));
    std::string digest;
    std::string file;
    if (ParseLine(line, digest, file)) {
      manifest.files[(folder / file).lexically_normal().string()] = {Lower(digest), at};
    } else if (IsHex(line) && text.find_first_not_of(" \r\n", end) == std::string::npos) {
      manifest.files[(folder / fs::path(name).stem()).string()] = {Lower(line), at};  // "x.tar.sha256"
    } else if (!line.empty() && line[0] != '#' && odd++ == 0) {
      first_odd = at;
    }
    at = end + 1;
  }
  // Mostly lists of checksums, but for a few lines: those were changed. Otherwise it is some other text.
  if (odd > manifest.files.size()) manifest.files.clear();
  if (odd > 0 && !manifest.files.empty()) {
    manifest.findings.push_back(
        {Sign::kDamaged, name, first_odd, "a checksum and a name", Words(odd, " lines without")});
  }
  return manifest;
}

}  // namespace reprise::backup
