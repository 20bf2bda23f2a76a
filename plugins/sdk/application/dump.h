// A dump of a recovery point: which file it is, what it carries, and how it goes into a base. pg_dump's custom and tar
// formats by pg_restore, plain text by psql; each read from a descriptor, as the cluster's user.
#pragma once

#include <sys/random.h>
#include <sys/socket.h>

#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "plugins/sdk/application/dump_text.h"
#include "plugins/sdk/application/postgres.h"
#include "plugins/sdk/application/profile_reader.h"
#include "plugins/sdk/manifest.h"

namespace reprise::sdk::application {

// The recovery point as the step has it: the folder or file `source`, or the step's artifacts.
struct Point {
  std::filesystem::path source;  // Empty: artifacts.

  static Point Of(const Context& context) {
    return {context.Has("source") ? std::filesystem::path(context.Param("source")) : std::filesystem::path()};
  }
  std::string Shown() const { return source.empty() ? "the artifacts of the step" : source.string(); }
  bool IsThere(const Context& context) const {
    std::error_code ignored;
    return source.empty() ? !context.artifacts().empty() : std::filesystem::exists(source, ignored);
  }
  std::filesystem::path File(const Context& context, const std::string& name) const {
    if (source.empty()) return context.Artifact(name);
    return std::filesystem::is_directory(source) ? source / name : source;
  }
};

// The files of a folder or file by their names, unread: enough to see whether a module's dump is among them.
inline Manifest NamesIn(const Context& context, const std::filesystem::path& source) {
  Manifest names;
  if (!std::filesystem::is_directory(source)) return {.files = {{source.filename().string(), "", 0}}, .problems = {}};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source)) {
    context.ThrowIfCancelled();
    if (entry.is_regular_file()) names.files.push_back({entry.path().lexically_relative(source).string(), "", entry.file_size()});
  }
  return names;
}

class Dump {
 public:
  // REQUIRES: `manifest` is the point's. Throws Error "no_dump" unless exactly one file fits the module's patterns.
  Dump(const Context& context, const Point& point, const Manifest& manifest, const Module& module) {
    std::string name, others;
    for (const ManifestFile& file : manifest.files) {
      const std::string last = file.path.substr(file.path.rfind('/') + 1);
      const bool fits = std::any_of(module.files.begin(), module.files.end(),
                                    [&](const std::string& pattern) { return Matches(pattern, last); });
      if (!fits) continue;
      others += (others.empty() ? "" : ", ") + file.path;
      if (name.empty()) name = file.path, bytes_ = file.bytes;
    }
    if (name.empty() || others != name) {
      throw Error("no_dump", point.Shown() + ": expected one file such as " + module.files[0] + " for module " + module.name +
                                 ", found " + (name.empty() ? "none" : others));
    }
    name_ = name;
    path_ = point.File(context, name);
    const Fd fd = Open();
    char head[512] = {};
    const ssize_t size = read(fd.get(), head, sizeof head);
    const std::string_view text(head, static_cast<size_t>(std::max<ssize_t>(size, 0)));
    archive_ = text.rfind("PGDMP", 0) == 0 || text.substr(std::min<size_t>(257, text.size())).rfind("ustar", 0) == 0;
  }

  const std::string& name() const { return name_; }
  uint64_t bytes() const { return bytes_; }
  std::string Kind() const { return archive_ ? "pg_dump archive" : "plain SQL"; }

  // Reads all of it. Throws Error "truncated_dump", "hostile_dump".
  DumpContent Read(const Context& context, const Postgres& postgres) const {
    DumpReader reader;
    const Fd fd = Open();
    if (!archive_) {
      std::vector<char> buffer(1 << 20);
      for (;;) {
        context.ThrowIfCancelled();
        const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) ThrowErrno(errno, "read " + path_.string());
        if (count == 0) return reader.Finish();
        reader.Feed({buffer.data(), static_cast<size_t>(count)});
      }
    }
    const RunResult result =
        RunStreaming(context, AsUser(postgres.cluster().user, {postgres.cluster().programs + "/pg_restore", "--file=-"}),
                     postgres.ClientOptions(), {fd.get(), [&](std::string_view piece) { reader.Feed(piece); }});
    if (!result.ok() || result.truncated) {
      throw Error("truncated_dump", name_ + " cannot be read to its end: " + FirstComplaint(result.err),
                  "take an older recovery point that is whole");
    }
    return reader.Finish();
  }

  // Into an empty base that `role`, who is no superuser, owns.
  void RestoreInto(const Context& context, const Postgres& postgres, const std::string& base, const std::string& role) const {
    if (!archive_) return RestorePlain(context, postgres, base, role);
    const Fd fd = Open();
    const RunResult result = RunStreaming(
        context, postgres.Client("pg_restore", base, role, {"--exit-on-error", "--no-owner", "--no-privileges"}),
        postgres.ClientOptions(), {fd.get(), nullptr});
    if (!result.ok()) ThrowClient(result, "restore of " + name_ + " into " + base, "restore_failed");
  }

 private:
  // psql is told first, by a word that the dump cannot know, to carry out no command of its own (\restrict).
  void RestorePlain(const Context& context, const Postgres& postgres, const std::string& base, const std::string& role) const {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) ThrowErrno(errno, "make a pair of sockets");
    Fd ours(ends[0]), theirs(ends[1]);
    std::exception_ptr failed;
    std::thread feeder([&] {
      try {
        FeedPlain(ours);
      } catch (...) {
        failed = std::current_exception();
      }
      ours.Reset();
    });
    RunResult result;
    std::exception_ptr ended;
    try {
      result = RunStreaming(
          context, postgres.Client("psql", base, role, {"-X", "-q", "-v", "ON_ERROR_STOP=1", "--output=/dev/null", "-f", "-"}),
          postgres.ClientOptions(), {theirs.get(), nullptr});
    } catch (...) {
      ended = std::current_exception();
    }
    shutdown(theirs.get(), SHUT_RDWR);  // Nobody reads any more: the feeder ends.
    feeder.join();
    if (ended) std::rethrow_exception(ended);
    if (!result.ok()) ThrowClient(result, "restore of " + name_ + " into " + base, "restore_failed");
    if (failed) std::rethrow_exception(failed);
  }

  // Returns when all is sent, or nobody reads any more.
  void FeedPlain(const Fd& to) const {
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != sizeof random) ThrowErrno(errno, "draw a random word");
    std::string out = "\\restrict " + Sha256OfText({reinterpret_cast<const char*>(random), sizeof random}) + "\n";
    const auto flush = [&] {
      for (std::string_view left = out; !left.empty();) {
        const ssize_t count = send(to.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        left.remove_prefix(static_cast<size_t>(count));
      }
      out.clear();
      return true;
    };
    DumpReader reader([&](std::string_view line) { out.append(line).push_back('\n'); });
    const Fd from = Open();
    std::vector<char> buffer(1 << 18);
    for (;;) {
      const ssize_t count = read(from.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) ThrowErrno(errno, "read " + path_.string());
      if (count > 0) reader.Feed({buffer.data(), static_cast<size_t>(count)});
      if (!flush()) return;
      if (count == 0) break;
    }
    reader.Finish();
  }

  Fd Open() const {
    Fd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) ThrowErrno(errno, "open " + path_.string());
    return fd;
  }

  std::string name_;
  std::filesystem::path path_;
  uint64_t bytes_ = 0;
  bool archive_ = false;
};

}  // namespace reprise::sdk::application
