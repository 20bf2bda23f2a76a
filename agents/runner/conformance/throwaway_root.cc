#include "agents/runner/conformance/throwaway_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "agents/runner/fd.h"

namespace reprise::conformance {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using runner::Fd;

// In a child of its own: exits at the first thing that does not work, its reason on the pipe.
class Child {
 public:
  explicit Child(int answer) : answer_(answer) {}

  [[noreturn]] void Fail(const std::string& what) { Answer({{"failed", what + ": " + std::strerror(errno)}}); }
  [[noreturn]] void Answer(const json& answer) {
    const std::string text = answer.dump(-1, ' ', false, json::error_handler_t::replace);
    for (size_t done = 0; done < text.size();) {
      const ssize_t count = write(answer_, text.data() + done, text.size() - done);
      if (count <= 0) break;
      done += static_cast<size_t>(count);
    }
    _exit(0);
  }

  void Mount(const char* source, const fs::path& target, const char* type, unsigned long flags, const std::string& data) {
    if (mount(source, target.c_str(), type, flags, data.empty() ? nullptr : data.c_str()) != 0) {
      Fail(absl::StrCat("mounting ", target.string()));
    }
  }

  void CopyKit(const fs::path& kit, const std::vector<KitFile>& files) {
    std::error_code error;
    fs::create_directories(kit, error);
    for (const KitFile& file : files) {
      fs::copy_file(file.from, kit / file.name, error);
      if (error) Answer({{"failed", absl::StrCat("copying ", file.from.string(), ": ", error.message())}});
    }
  }

  // The root becomes an overlay over itself; returns a descriptor of what is written to it.
  int EnterOverlay(const fs::path& scratch, const std::vector<KitFile>& files) {
    if (unshare(CLONE_NEWNS) != 0) Fail("a mount namespace");
    Mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "");
    Mount("reprise-verify", scratch, "tmpfs", 0, "mode=755");
    for (const char* name : {"upper", "work", "root", "kit"}) mkdir((scratch / name).c_str(), 0755);
    CopyKit(scratch / "kit", files);
    const fs::path root = scratch / "root";
    Mount("overlay", root, "overlay", 0,
          absl::StrCat("lowerdir=/,upperdir=", (scratch / "upper").string(), ",workdir=", (scratch / "work").string()));
    const int upper = open((scratch / "upper").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    mkdir((root / "mnt").c_str(), 0755);
    Mount("/dev", root / "dev", nullptr, MS_BIND | MS_REC, "");
    Mount((scratch / "kit").c_str(), root / "mnt", nullptr, MS_BIND, "");
    Mount("proc", root / "proc", "proc", 0, "");
    if (chroot(root.c_str()) != 0 || chdir("/") != 0) Fail("chroot");
    return upper;
  }

 private:
  const int answer_;
};

absl::StatusOr<json> InChild(const std::vector<KitFile>& files, bool overlay,
                             const std::function<json(Root&)>& work) {
  std::string scratch = fs::temp_directory_path() / "reprise-verify-XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) return absl::UnavailableError(absl::StrCat("no folder ", scratch));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::UnavailableError("no pipe");
  Fd answer(ends[0]), their_end(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return absl::UnavailableError(absl::StrCat("fork: ", std::strerror(errno)));
  if (pid == 0) {
    Child child(their_end.get());
    try {
      fs::path kit = fs::path(scratch) / "kit";
      int upper = -1;
      if (overlay) {
        upper = child.EnterOverlay(scratch, files);
        kit = "/mnt";
      } else {
        child.CopyKit(kit, files);
      }
      Root root(kit, upper);
      child.Answer({{"answer", work(root)}});
    } catch (const std::exception& error) {
      child.Answer({{"died", error.what()}});
    }
  }
  their_end.Reset();
  std::string text;
  char buffer[65536];
  for (ssize_t count; (count = read(answer.get(), buffer, sizeof buffer)) != 0;) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  const json said = json::parse(text, nullptr, false);
  if (!said.is_object()) return absl::InternalError(absl::StrCat("the kit's own process died (status ", status, ")"));
  if (said.contains("died")) return absl::InternalError(said["died"].get<std::string>());
  if (said.contains("failed")) return absl::UnavailableError(said["failed"].get<std::string>());
  return said.at("answer");
}

// In a build with the thread sanitizer every program makes a file there as it starts, and removes it.
#if defined(__SANITIZE_THREAD__)
constexpr const char* kSanitizersFolder = "/tmp";
#elif defined(__has_feature)
constexpr const char* kSanitizersFolder = __has_feature(thread_sanitizer) ? "/tmp" : "";
#else
constexpr const char* kSanitizersFolder = "";
#endif

}  // namespace

std::map<std::string, std::string> Root::Stamps() const {
  std::map<std::string, std::string> stamps;
  if (upper_ < 0) return stamps;
  const std::string top = absl::StrCat("/proc/self/fd/", upper_, "/");
  std::error_code error;
  for (fs::recursive_directory_iterator at(top, error), end; !error && at != end; at.increment(error)) {
    struct stat found {};
    if (lstat(at->path().c_str(), &found) != 0) continue;
    std::error_code ignored;
    // A folder is in the overlay because of what is in it; an empty one is there for itself.
    const std::string path = "/" + at->path().string().substr(top.size());
    if (S_ISDIR(found.st_mode) && (path == kSanitizersFolder || !fs::is_empty(at->path(), ignored))) continue;
    stamps[path] =
        absl::StrCat(found.st_mode, " ", found.st_ino, " ", found.st_size, " ", found.st_mtim.tv_sec, ".",
                     found.st_mtim.tv_nsec, " ", found.st_ctim.tv_sec, ".", found.st_ctim.tv_nsec);
  }
  return stamps;
}

std::set<std::string> Root::Written() const {
  std::set<std::string> written;
  const auto now = Stamps();
  for (const auto& [path, stamp] : now) {
    const auto before = known_.find(path);
    if (before == known_.end() || before->second != stamp) written.insert(path);
  }
  for (const auto& [path, stamp] : known_) {
    if (!now.contains(path)) written.insert(path);
  }
  return written;
}

absl::StatusOr<json> InThrowawayRoot(const std::vector<KitFile>& files, const std::function<json(Root&)>& work) {
  if (geteuid() != 0) return absl::UnavailableError("a throw-away file system needs root");
  return InChild(files, true, work);
}

absl::StatusOr<json> OnThisHost(const std::vector<KitFile>& files, const std::function<json(Root&)>& work) {
  return InChild(files, false, work);
}

}  // namespace reprise::conformance
