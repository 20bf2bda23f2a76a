// The manifest of a recovery point: what it consists of, to the last byte. One line for each regular file, sorted bytewise
// by path, nothing else:
//
//   <SHA-256 in lower-case hex>  <bytes in decimal>  <path relative to the point>\n
//
// The SHA-256 of that text names the recovery point. Who judged it and who restores it compute it each for himself, so
// that what is restored is what was judged. A point that is a single file has one line with its file name.
//
// Follows no symbolic link, opens no device, waits for no pipe: those are problems, and whoever restores refuses a point
// that has any. Reads with bounded memory; ends when the verb is cancelled. Throws Error "changed" if a file or a folder
// changes or vanishes meanwhile. Link OpenSSL's libcrypto.
#pragma once

#include <dirent.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>

#include "plugins/sdk/context.h"
#include "plugins/sdk/sha256.h"

namespace reprise::sdk {

struct ManifestFile {
  std::string path;
  std::string sha256;
  uint64_t bytes = 0;

  bool operator==(const ManifestFile&) const = default;
};

struct Manifest {
  std::vector<ManifestFile> files;    // Sorted.
  std::vector<std::string> problems;  // "x/link: a symbolic link", at most kManifestProblemsMax; sorted.
  uint64_t problems_left_out = 0;

  uint64_t Bytes() const;
  std::string Text() const;
  // Of Text(), which is not made for it.
  std::string Sha256() const;
};

inline constexpr size_t kManifestProblemsMax = 100;

struct ManifestOptions {
  // Of each piece that was read.
  std::function<void(uint64_t bytes)> read;
};

// A file, or a folder with all that is below it.
Manifest ManifestOf(const Context& context, const std::filesystem::path& point, const ManifestOptions& options = {});
// The step's artifacts, by their names.
Manifest ManifestOfArtifacts(const Context& context, const ManifestOptions& options = {});

// The other way. Throws Error "bad_manifest" naming the line.
Manifest ParseManifest(std::string_view text);

// For who restores: returns if `point` (empty: the artifacts) is whole and the very one that was judged; else throws
// Error "wrong_copy".
Manifest RequireManifest(const Context& context, const std::filesystem::path& point, const std::string& sha256,
                         const ManifestOptions& options = {});

// A line of the text; whoever has the hash already needs no more.
std::string ManifestLine(const ManifestFile& file);
// A path that fits into a line: without line feed.
inline bool IsManifestPath(std::string_view path) { return !path.empty() && path.find('\n') == path.npos; }

// ---- implementation ----

namespace manifest_internal {

// Deeper is no backup of anything; each level holds a descriptor.
inline constexpr int kDepthMax = 200;

struct Stamp {
  dev_t device;
  ino_t inode;
  off_t size;
  int64_t seconds;
  int64_t nanoseconds;

  explicit Stamp(const struct stat& found)
      : device(found.st_dev), inode(found.st_ino), size(found.st_size), seconds(found.st_mtim.tv_sec),
        nanoseconds(found.st_mtim.tv_nsec) {}
  bool operator==(const Stamp&) const = default;
};

[[noreturn]] inline void Changed(const std::string& what) {
  throw Error("changed", what + " while it was read",
              "nothing may write to a recovery point: attach it read-only and try again");
}

class Walk {
 public:
  Walk(const Context& context, const ManifestOptions& options, Manifest& into)
      : context_(context), options_(options), into_(into), buffer_(1 << 20, '\0') {}

  // `folder`: where `entry` is opened from; AT_FDCWD for what was asked for, which may be a link itself.
  void File(int folder, const std::string& entry, const std::string& path, bool follow = false) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    Fd fd(openat(folder, entry.c_str(), flags));
    struct stat before {};
    if (!fd || fstat(fd.get(), &before) != 0) {
      if (errno == ENOENT || errno == ELOOP) Changed(path + " vanished");
      ThrowErrno(errno, "open " + path);
    }
    if (!S_ISREG(before.st_mode)) Changed(path + " became something else");
    Sha256 hash;
    uint64_t bytes = 0;
    for (;;) {
      context_.ThrowIfCancelled();
      const ssize_t count = read(fd.get(), buffer_.data(), buffer_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) ThrowErrno(errno, "read " + path);
      if (count == 0) break;
      hash.Update({buffer_.data(), static_cast<size_t>(count)});
      bytes += static_cast<uint64_t>(count);
      if (options_.read) options_.read(static_cast<uint64_t>(count));
    }
    struct stat after {};
    if (fstat(fd.get(), &after) != 0 || Stamp(after) != Stamp(before) || bytes != static_cast<uint64_t>(before.st_size)) {
      Changed(path + " changed");
    }
    into_.files.push_back({path, hash.Hex(), bytes});
  }

  void Folder(Fd fd, const std::string& prefix, int depth) {
    if (depth > kDepthMax) throw Error("too_deep", prefix + " is deeper than " + std::to_string(kDepthMax) + " folders");
    struct stat before {};
    if (fstat(fd.get(), &before) != 0) ThrowErrno(errno, "look at " + prefix);
    for (const std::string& name : Names(fd, prefix)) {
      context_.ThrowIfCancelled();
      const std::string path = prefix + name;
      struct stat found {};
      if (fstatat(fd.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) Changed(path + " vanished");
      if (!IsManifestPath(name)) {
        Problem(path.substr(0, path.find('\n')) + "…: a line feed in the name");
      } else if (S_ISREG(found.st_mode)) {
        File(fd.get(), name, path);
      } else if (S_ISDIR(found.st_mode)) {
        Fd below(openat(fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!below && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) Changed(path + " vanished");
        if (!below) ThrowErrno(errno, "open " + path);
        Folder(std::move(below), path + "/", depth + 1);
      } else {
        Problem(path + (S_ISLNK(found.st_mode) ? ": a symbolic link" : ": neither a file nor a folder"));
      }
    }
    struct stat after {};
    if (fstat(fd.get(), &after) != 0 || Stamp(after) != Stamp(before)) Changed("the folder " + prefix + " changed");
  }

  void Finish() {
    std::sort(into_.files.begin(), into_.files.end(),
              [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
    std::sort(into_.problems.begin(), into_.problems.end());
  }

 private:
  static std::vector<std::string> Names(const Fd& folder, const std::string& prefix) {
    const int copy = fcntl(folder.get(), F_DUPFD_CLOEXEC, 3);
    DIR* listing = copy < 0 ? nullptr : fdopendir(copy);
    if (listing == nullptr) {
      const int number = errno;
      if (copy >= 0) close(copy);
      ThrowErrno(number, "list " + prefix);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(listing)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int number = errno;
    closedir(listing);
    if (number != 0) ThrowErrno(number, "list " + prefix);
    std::sort(names.begin(), names.end());
    return names;
  }

  void Problem(std::string text) {
    if (into_.problems.size() < kManifestProblemsMax) {
      into_.problems.push_back(std::move(text));
    } else {
      ++into_.problems_left_out;
    }
  }

  const Context& context_;
  const ManifestOptions& options_;
  Manifest& into_;
  std::string buffer_;
};

inline bool IsSha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(),
                                          [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace manifest_internal

inline std::string ManifestLine(const ManifestFile& file) {
  std::string line;
  line.reserve(file.sha256.size() + file.path.size() + 28);
  return line.append(file.sha256).append("  ").append(std::to_string(file.bytes)).append("  ").append(file.path) + "\n";
}

inline uint64_t Manifest::Bytes() const {
  uint64_t bytes = 0;
  for (const ManifestFile& file : files) bytes += file.bytes;
  return bytes;
}

inline std::string Manifest::Text() const {
  std::string text;
  for (const ManifestFile& file : files) text += ManifestLine(file);
  return text;
}

inline std::string Manifest::Sha256() const {
  sdk::Sha256 hash;
  for (const ManifestFile& file : files) hash.Update(ManifestLine(file));
  return hash.Hex();
}

inline Manifest ManifestOf(const Context& context, const std::filesystem::path& point, const ManifestOptions& options) {
  std::filesystem::path plain = point.lexically_normal();
  if (!plain.has_filename() && plain.has_relative_path()) plain = plain.parent_path();
  struct stat found {};
  if (stat(plain.c_str(), &found) != 0) ThrowErrno(errno, "look at " + plain.string());
  Manifest manifest;
  manifest_internal::Walk walk(context, options, manifest);
  if (S_ISREG(found.st_mode)) {
    const std::string name = plain.filename().string();
    if (!IsManifestPath(name)) throw Error("bad_name", "the file's name has a line feed");
    walk.File(AT_FDCWD, plain.string(), name, /*follow=*/true);
  } else if (S_ISDIR(found.st_mode)) {
    Fd folder(open(plain.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) ThrowErrno(errno, "open " + plain.string());
    walk.Folder(std::move(folder), "", 0);
  } else {
    throw Error("not_a_point", plain.string() + " is neither a file nor a folder");
  }
  walk.Finish();
  return manifest;
}

inline Manifest ManifestOfArtifacts(const Context& context, const ManifestOptions& options) {
  Manifest manifest;
  manifest_internal::Walk walk(context, options, manifest);
  for (const auto& [name, path] : context.artifacts()) {
    if (!IsManifestPath(name)) throw Error("bad_name", "an artifact's name has a line feed");
    walk.File(AT_FDCWD, path.string(), name, /*follow=*/true);
  }
  walk.Finish();
  return manifest;
}

inline Manifest ParseManifest(std::string_view text) {
  Manifest manifest;
  size_t number = 0;
  const auto refuse = [&](const std::string& expected) {
    throw Error("bad_manifest", "line " + std::to_string(number) + " of the manifest is no line of one: expected " + expected,
                "a line is: SHA-256, two spaces, bytes, two spaces, path");
  };
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) refuse("a line feed at its end");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    ManifestFile file;
    if (line.size() < 69 || !manifest_internal::IsSha256(line.substr(0, 64)) || line.substr(64, 2) != "  ") {
      refuse("64 lower-case hexadecimal digits and two spaces");
    }
    file.sha256 = std::string(line.substr(0, 64));
    const size_t gap = line.find("  ", 66);
    const std::string_view bytes = line.substr(66, gap == std::string_view::npos ? 0 : gap - 66);
    const auto read = std::from_chars(bytes.data(), bytes.data() + bytes.size(), file.bytes);
    if (bytes.empty() || read.ec != std::errc() || read.ptr != bytes.data() + bytes.size()) refuse("a size in bytes");
    file.path = std::string(line.substr(gap + 2));
    if (file.path.empty() || file.path[0] == '/' || !IsPlainPath("/" + file.path)) refuse("a path below the point");
    if (!manifest.files.empty() && manifest.files.back().path >= file.path) refuse("a path behind the one before");
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

inline Manifest RequireManifest(const Context& context, const std::filesystem::path& point, const std::string& sha256,
                                const ManifestOptions& options) {
  Manifest manifest = point.empty() ? ManifestOfArtifacts(context, options) : ManifestOf(context, point, options);
  const std::string what = point.empty() ? "the artifacts of the step" : point.string();
  if (manifest.files.empty()) throw Error("wrong_copy", what + " have no file to restore from");
  if (!manifest.problems.empty()) {
    throw Error("wrong_copy", what + " has what no manifest covers: " + manifest.problems.front(),
                "restore from a copy that consists of files and folders only");
  }
  const std::string found = manifest.Sha256();
  if (found != sha256) {
    throw Error("wrong_copy",
                what + " has the manifest " + found.substr(0, 16) + "…, judged was " + sha256.substr(0, 16) + "…",
                "this is another copy than the one that was judged, or it has changed: judge it again");
  }
  return manifest;
}

}  // namespace reprise::sdk
