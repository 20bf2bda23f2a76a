#include "plugins/backup/worker/inventory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <system_error>

#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/listing.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

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
  Collector(const fs::path& root, Inventory& into)
      : root_(root.string()), below_(root_.size() + (EndsWith(root_, "/") ? 0 : 1)), into_(into) {}

  void Folder(const std::string& folder, Listing listing) {
    const Repository* repository = RepositoryAt(repositories_, folder);
    Stamp all;
    Walk(folder, listing, [&](Entry& entry) {
      if (!S_ISDIR(entry.mode)) return Other(entry, repository != nullptr, all);
      repository == nullptr ? Folder(entry.path, std::move(*entry.below)) : Inside(entry.path, *entry.below, all);
    });
    if (repository == nullptr) return;
    Job job{folder, NameOf(folder), repository->name(), "", all.size};
    job.stamp = all;
    into_.jobs.push_back(std::move(job));
    into_.bytes += all.size;
  }

  void File(std::string path, std::string name, const Stamp& stamp, bool looked) {
    Add(into_.jobs, std::move(path), std::move(name), "file", stamp, looked);
    into_.bytes += stamp.size;
    into_.newest_ns = std::max(into_.newest_ns, stamp.modified_ns);
  }

 private:
  template <typename Each>
  void Walk(const std::string& folder, Listing& listing, const Each& each) {
    if (listing.error != 0) {
      into_.findings.push_back({Sign::kUnreadable, NameOf(folder), 0, "a folder that can be read", std::strerror(listing.error)});
    }
    for (Entry& entry : listing.entries) {
      if (entry.mode == 0) {
        into_.findings.push_back({Sign::kUnreadable, NameOf(entry.path), 0, "a file that stays", std::strerror(entry.error)});
      } else {
        each(entry);
      }
    }
  }

  // Of a repository: every file is for the manifest, all of them together are one job.
  void Inside(const std::string& folder, Listing& listing, Stamp& all) {
    Walk(folder, listing, [&](Entry& entry) {
      S_ISDIR(entry.mode) ? Inside(entry.path, *entry.below, all) : Other(entry, true, all);
    });
  }

  void Other(Entry& entry, bool inside, Stamp& all) {
    std::string name = NameOf(entry.path);
    if (S_ISREG(entry.mode) && !inside) return File(std::move(entry.path), std::move(name), entry.stamp, entry.looked);
    if (S_ISREG(entry.mode)) {
      Add(into_.inside, std::move(entry.path), std::move(name), kHashOnly, entry.stamp, entry.looked);
      Mix(into_.inside.back().name, into_.inside.back().stamp, all);
      into_.newest_ns = std::max(into_.newest_ns, into_.inside.back().stamp.modified_ns);
    } else if (!S_ISLNK(entry.mode) && !inside) {
      into_.findings.push_back({Sign::kUndecided, std::move(name), 0, "a file or a folder", "something else"});
    }
  }

  static void Add(std::deque<Job>& jobs, std::string path, std::string name, const char* kind, const Stamp& stamp, bool looked) {
    Job& job = jobs.emplace_back();
    job.path = std::move(path);
    job.name = std::move(name);
    job.kind = kind;
    job.size = stamp.size;
    job.stamp = stamp;
    job.looked = looked;
  }

  // REQUIRES: the root, or a path below it.
  std::string NameOf(const std::string& path) const {
    return path.size() > below_ ? path.substr(below_) : fs::path(path).filename().string();
  }

  const std::string root_;
  const size_t below_;  // Where the names of what is below it begin.
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

Inventory InventoryOf(const fs::path& path, bool every) {
  Inventory inventory;
  fs::path plain = path.lexically_normal();
  if (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();
  Collector collector(plain, inventory);
  struct stat found {};
  const bool there = stat(plain.c_str(), &found) == 0;  // What was asked for may be a link.
  if (there && S_ISDIR(found.st_mode)) {
    collector.Folder(plain.string(), ListingOf(plain.string(), every));
  } else if (there && S_ISREG(found.st_mode)) {
    std::error_code error;
    const fs::path file = fs::canonical(plain, error);
    collector.File((error ? plain : file).string(), plain.filename().string(), StampOf(found), /*looked=*/true);
  } else {
    inventory.findings.push_back({Sign::kUnreadable, plain.string(), 0, "a file or a folder",
                                  there ? "something else" : std::strerror(errno)});
  }
  return inventory;
}

bool IsManifestName(const std::string& name) {
  constexpr std::string_view kEnds[] = {".sha256",    ".sha512", ".sha1", ".md5",     ".sha256sum",    ".sha512sum",
                                        ".md5sum",    "sums",    "sums.txt", "checksums.txt", "manifest.txt", "manifest"};
  const std::string low = Lower(BaseName(name));
  return std::any_of(std::begin(kEnds), std::end(kEnds), [&low](std::string_view end) { return EndsWith(low, end); });
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
