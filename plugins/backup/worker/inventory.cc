#include "plugins/backup/worker/inventory.h"

#include <algorithm>
#include <system_error>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

class Collector {
 public:
  Collector(const fs::path& root, Inventory& into) : root_(root), into_(into) {}

  void Folder(const fs::path& folder) {
    if (const Repository* repository = RepositoryAt(repositories_, folder))
      return Add(folder, repository->name(), SizeOf(folder));
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
      entries.push_back(*at);
    if (error) {
      into_.findings.push_back({Sign::kUnreadable, NameOf(folder), 0, "a folder that can be read", error.message()});
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
      const fs::file_status status = entry.symlink_status(error);
      if (fs::is_directory(status)) {
        Folder(entry.path());
      } else if (fs::is_regular_file(status)) {
        const uint64_t size = entry.file_size(error);
        Add(entry.path(), "file", error ? 0 : size);
      } else if (!fs::is_symlink(status)) {
        into_.findings.push_back({Sign::kUndecided, NameOf(entry.path()), 0, "a file or a folder", "something else"});
      }
    }
  }

  void Add(const fs::path& path, const std::string& kind, uint64_t size) {
    into_.jobs.push_back({path.string(), NameOf(path), kind, "", size});
    into_.bytes += size;
  }

 private:
  std::string NameOf(const fs::path& path) const {
    const std::string below = path.lexically_relative(root_).string();
    return below.empty() || below == "." ? path.filename().string() : below;
  }
  static uint64_t SizeOf(const fs::path& folder) {
    std::error_code error;
    uint64_t size = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
      if (entry.is_regular_file(error)) size += entry.file_size(error);
    }
    return size;
  }

  const fs::path& root_;
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
  std::error_code error;
  const fs::file_status status = fs::status(plain, error);  // What was asked for may be a link.
  if (fs::is_directory(status)) {
    collector.Folder(plain);
  } else if (fs::is_regular_file(status)) {
    const fs::path file = fs::canonical(plain, error);
    collector.Add(error ? plain : file, "file", fs::file_size(plain, error));
    inventory.jobs.front().name = plain.filename().string();
  } else {
    inventory.findings.push_back(
        {Sign::kUnreadable, plain.string(), 0, "a file or a folder", error ? error.message() : "something else"});
  }
  return inventory;
}

bool IsManifestName(const std::string& name) {
  const std::string low = Lower(fs::path(name).filename().string());
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
