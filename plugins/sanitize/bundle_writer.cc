// Bundle::Write: everything is copied, or nothing is said to be.
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <algorithm>

#include "plugins/sanitize/bundle.h"
#include "plugins/sanitize/processes.h"
#include "plugins/sdk/manifest.h"

namespace reprise::sanitize {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

[[noreturn]] void Incomplete(const std::string& what, const std::string& why) {
  throw Error("evidence_incomplete", what + " could not be copied: " + why,
              "nothing was cleaned; mend the cause, or look at it by hand, and take evidence again");
}

int64_t Nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

class Writer {
 public:
  Writer(Examination& on, const fs::path& folder)
      : on_(on), final_(folder), folder_(folder.string() + ".partial"),
        bytes_max_(on.context.Param<uint64_t>("evidence_mb") << 20) {}

  void Run() {
    if (fs::create_directories(final_.parent_path())) fs::permissions(final_.parent_path(), fs::perms::owner_all);
    fs::remove_all(folder_);  // A former try that was killed.
    fs::create_directories(folder_ / "files");
    fs::create_directories(folder_ / "volatile");
    fs::permissions(folder_, fs::perms::owner_all);
    // First what is gone first.
    if (on_.tree.live() && WhyNoProcesses().empty()) Volatile();
    Json findings = Json::array();
    for (const Finding& finding : on_.report.Findings()) {
      on_.context.ThrowIfCancelled();
      Keep(finding);
      findings.push_back(ToJson(finding));
    }
    KeepText("findings.json", findings.dump(1, ' ', false, Json::error_handler_t::replace));
    Json metadata = Json::array();
    for (const auto& [path, file] : kept_) metadata.push_back(ToJson(file));
    KeepText("metadata.json", metadata.dump(1, ' ', false, Json::error_handler_t::replace));
    Json examination = on_.report.Observed(0);
    examination["host"] = on_.context.host();
    examination["root"] = on_.context.Param("root");
    KeepText("examination.json", examination.dump(1, ' ', false, Json::error_handler_t::replace));
    sdk::Manifest manifest;
    for (const auto& [path, file] : manifest_) manifest.files.push_back(file);
    sdk::WriteFileAtomically(folder_ / "MANIFEST", manifest.Text(), 0400);
    sdk::SyncFolder(folder_);
    if (rename(folder_.c_str(), final_.c_str()) != 0) sdk::ThrowErrno(errno, "rename " + folder_.string());
    sdk::SyncFolder(final_.parent_path());
  }

 private:
  void List(const std::string& path, const std::string& sha256, uint64_t size) {
    manifest_[path] = {path, sha256, size};
  }
  void Take(uint64_t size, const std::string& what) {
    bytes_ += size;
    if (bytes_ > bytes_max_) Incomplete(what, "more than evidence_mb (" + std::to_string(bytes_max_ >> 20) + " MB) in all");
    struct statvfs disk {};
    if (statvfs(folder_.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < size + (8 << 20)) {
      throw Error("disk_full", folder_.string() + " has no room for the evidence", "give a folder with room by evidence");
    }
  }
  void KeepText(const std::string& path, const std::string& text) {
    Take(text.size(), path);
    sdk::WriteFileAtomically(folder_ / path, text, 0400);
    List(path, sdk::Sha256OfText(text), text.size());
  }

  // The content of an open file; its hash.
  std::string KeepContent(int fd, const std::string& what) {
    struct stat found {};
    if (fstat(fd, &found) != 0) Incomplete(what, std::generic_category().message(errno));
    Take(static_cast<uint64_t>(found.st_size), what);
    const fs::path partial = folder_ / "files" / "partial";
    uint64_t size = 0;
    sdk::Sha256 hash;
    {
      const sdk::Fd out(open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0400));
      if (!out) sdk::ThrowErrno(errno, "create " + partial.string());
      std::string buffer(1 << 18, '\0');
      for (;;) {
        on_.context.ThrowIfCancelled();
        const ssize_t count = read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) Incomplete(what, std::generic_category().message(errno));
        if (count == 0) break;
        hash.Update({buffer.data(), static_cast<size_t>(count)});
        for (ssize_t done = 0; done < count;) {
          const ssize_t more = write(out.get(), buffer.data() + done, static_cast<size_t>(count - done));
          if (more < 0 && errno != EINTR) sdk::ThrowErrno(errno, "write " + partial.string());
          if (more > 0) done += more;
        }
        size += static_cast<uint64_t>(count);
      }
      if (fsync(out.get()) != 0) sdk::ThrowErrno(errno, "fsync " + partial.string());
    }
    const std::string sha256 = hash.Hex();
    fs::rename(partial, folder_ / "files" / sha256);
    List("files/" + sha256, sha256, size);
    return sha256;
  }

  void Keep(const Finding& finding) {
    if (finding.path.empty()) return;
    if (finding.remedy == Remedy::kEndProcess || finding.path[0] != '/') {
      KeepProgram(finding);
      return;
    }
    const auto found = on_.tree.Look(finding.path);
    if (!found && finding.sha256.empty()) return;  // What is missing cannot be copied.
    if (!found) Incomplete(finding.path, "it is gone since it was seen");
    KeepFile(finding, *found);
  }

  void KeepFile(const Finding& finding, const struct stat& found) {
    const std::string& path = finding.path;
    if (!kept_.contains(path)) {
      KeptFile file = {.path = path, .mode = found.st_mode, .uid = found.st_uid, .gid = found.st_gid};
      file.size = static_cast<uint64_t>(found.st_size);
      file.accessed_ns = Nanoseconds(found.st_atim), file.modified_ns = Nanoseconds(found.st_mtim);
      file.changed_ns = Nanoseconds(found.st_ctim);
      if (S_ISLNK(found.st_mode)) {
        file.target = on_.tree.LinkTarget(path);
        file.sha256 = sdk::Sha256OfText(file.target);
      } else if (S_ISREG(found.st_mode)) {
        const sdk::Fd fd = on_.tree.Open(path, O_RDONLY | O_NOFOLLOW);
        if (!fd) Incomplete(path, std::generic_category().message(errno));
        Attributes(fd.get(), file);
        file.sha256 = KeepContent(fd.get(), path);
      } else {
        Incomplete(path, "it is neither a file nor a link");
      }
      kept_[path] = std::move(file);
    }
    if (!finding.sha256.empty() && kept_[path].sha256 != finding.sha256) Incomplete(path, "it changed since it was seen");
  }

  static void Attributes(int fd, KeptFile& file) {
    std::string names(65536, '\0');
    const ssize_t size = flistxattr(fd, names.data(), names.size());
    for (ssize_t at = 0; at < size;) {
      const std::string name = names.c_str() + at;
      at += static_cast<ssize_t>(name.size()) + 1;
      std::string value(65536, '\0');
      const ssize_t length = fgetxattr(fd, name.c_str(), value.data(), value.size());
      if (length < 0) Incomplete(file.path, "its attribute " + name + " cannot be read");
      file.attributes[name] = Hex({value.data(), static_cast<size_t>(length)});
    }
  }

  // Of every process that runs it: what /proc tells. Environments are left out: they hold secrets.
  void KeepProgram(const Finding& finding) {
    if (finding.remedy != Remedy::kEndProcess) return;
    bool kept = false;
    for (const Process& process : processes_) {
      if (process.program != finding.path || (!finding.line.empty() && process.CommandLine() != finding.line)) continue;
      const std::string folder = "/proc/" + std::to_string(process.pid);
      const sdk::Fd fd(open((folder + "/exe").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
      if (!fd) continue;
      const std::string sha256 = KeepContent(fd.get(), finding.path);
      if (sha256 != finding.sha256) continue;
      kept = true;
      for (const char* what : {"status", "maps", "cmdline", "cgroup"}) {
        KeepText("volatile/process-" + std::to_string(process.pid) + "-" + what,
                 sdk::ReadFileIfThere(folder + "/" + what, 16 << 20).value_or(""));
      }
      const std::string script = process.Script();
      if (!finding.line.empty() && on_.tree.Look(script)) {
        KeepFile({.kind = finding.kind, .path = script}, *on_.tree.Look(script));
      }
    }
    if (!kept) Incomplete("the program " + finding.path, "no process runs it any more");
  }

  void Volatile() {
    processes_ = ReadProcesses();
    Json list = Json::array();
    std::set<std::string> networks;
    for (const Process& process : processes_) {
      list.push_back({{"pid", process.pid},         {"parent", process.parent},   {"started", process.started},
                      {"name", process.name},       {"program", process.program}, {"deleted", process.deleted},
                      {"kernel", process.kernel},   {"command", process.CommandLine()},
                      {"network", process.network}, {"sockets", process.sockets}});
      if (process.network.empty() || !networks.insert(process.network).second) continue;
      for (const char* table : {"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "unix", "arp", "route"}) {
        const std::string from = "/proc/" + std::to_string(process.pid) + "/net/" + table;
        KeepText("volatile/net-" + std::to_string(networks.size()) + "-" + table,
                 sdk::ReadFileIfThere(from, 64 << 20).value_or(""));
      }
    }
    KeepText("volatile/processes.json", list.dump(1, ' ', false, Json::error_handler_t::replace));
    for (const char* what : {"modules", "mounts", "uptime", "version", "cmdline"}) {
      KeepText(std::string("volatile/") + what, sdk::ReadFileIfThere(std::string("/proc/") + what, 16 << 20).value_or(""));
    }
    // Crontabs change without a trace: kept whether flagged or not.
    for (const char* folder : {"/var/spool/cron/crontabs", "/var/spool/cron", "/etc/cron.d"}) {
      for (const std::string& name : on_.tree.Names(folder)) {
        const std::string path = std::string(folder) + "/" + name;
        const auto found = on_.tree.Look(path);
        if (found && S_ISREG(found->st_mode)) KeepFile({.path = path}, *found);
      }
    }
  }

  Examination& on_;
  const fs::path final_, folder_;
  const uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::vector<Process> processes_;
  std::map<std::string, KeptFile> kept_;
  std::map<std::string, sdk::ManifestFile> manifest_;  // By path.
};

}  // namespace

Bundle Bundle::Write(Examination& on, const fs::path& folder) {
  Writer writer(on, folder);
  try {
    writer.Run();
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder.string() + ".partial", ignored);
    throw;
  }
  auto bundle = Open(on.context, folder);
  if (!bundle) throw Error("evidence_incomplete", folder.string() + " cannot be read back");
  return *std::move(bundle);
}

}  // namespace reprise::sanitize
