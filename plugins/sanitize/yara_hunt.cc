#include "plugins/sanitize/yara_hunt.h"

#include <algorithm>
#include <set>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/processes.h"
#include "plugins/sanitize/yara.h"

namespace reprise::sanitize {
namespace {

constexpr std::chrono::seconds kOneFile(20);

class RuleHunt {
 public:
  RuleHunt(Examination& on, const Yara& yara)
      : on_(on), yara_(yara), bytes_max_(on.context.Param<int64_t>("yara_file_mb") << 20) {}

  void Run() {
    std::set<std::string> files(on_.scan.begin(), on_.scan.end());
    for (const Finding& finding : on_.report.Findings()) {
      if (finding.remedy != Remedy::kEndProcess) files.insert(finding.path);
    }
    for (const std::string& path : files) File(path);
    for (const std::string& folder : on_.context.Param<std::vector<std::string>>("yara_paths")) Below(folder, 0);
    if (on_.tree.live() && WhyNoProcesses().empty()) Running();
    on_.report.Count("files_scanned_by_rules", scanned_.size());
  }

 private:
  void Below(const std::string& folder, int depth) {
    if (depth > 200 || on_.IsExcluded(folder)) return;
    on_.Try(folder, [&] {
      for (const std::string& name : on_.tree.Names(folder)) {
        if (over_) return;
        const std::string path = folder + "/" + name;
        const auto found = on_.tree.Look(path);
        if (found && S_ISDIR(found->st_mode)) Below(path, depth + 1);
        if (found && S_ISREG(found->st_mode) && on_.records.Find(path) == nullptr) File(path);
      }
    });
  }

  void File(const std::string& path) {
    if (over_ || !scanned_.insert(path).second) return;
    if (!on_.GoOn("the scan with YARA's rules")) {
      over_ = true;
      return;
    }
    const sdk::Fd fd = on_.tree.Open(path, O_RDONLY | O_NOFOLLOW);
    if (!fd) {
      if (errno != ENOENT && errno != ELOOP) on_.report.Unseen(path, std::generic_category().message(errno));
      return;
    }
    Scan(path, fd.get(), Remedy::kRemoveFile, [&] { return on_.tree.Sha256(path); });
  }

  void Running() {
    std::set<std::string> programs;
    for (const Process& process : ReadProcesses()) {
      const bool vouched = on_.records.Find(process.program) != nullptr && !process.deleted;
      if (over_ || process.kernel || process.program.empty() || vouched || !programs.insert(process.program).second) continue;
      const sdk::Fd fd(open(("/proc/" + std::to_string(process.pid) + "/exe").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
      if (fd) Scan(process.program, fd.get(), Remedy::kEndProcess, [&] { return ProgramSha256(process.pid); });
    }
  }

  template <typename Hash>
  void Scan(const std::string& path, int fd, Remedy remedy, Hash hash) {
    struct stat found {};
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0) return;
    if (found.st_size > bytes_max_) {
      return on_.report.Unseen(path, "larger than yara_file_mb (" + std::to_string(bytes_max_ >> 20) + " MB): not scanned");
    }
    std::vector<std::string> rules;
    try {
      rules = yara_.Scan(fd, kOneFile);
    } catch (const sdk::Error& error) {
      return on_.report.Unseen(path, error.what());
    }
    if (rules.empty()) return;
    std::string names;
    for (const std::string& rule : rules) names += (names.empty() ? "" : ", ") + rule;
    const PackagedFile* owner = on_.records.Find(path);
    on_.report.Add({.kind = "yara",
                    .path = path,
                    .expected = "no rule that matches",
                    .found = "rule " + names,
                    .sure = Sure::kCertain,
                    // A package's file is put back, which its own finding says.
                    .remedy = owner != nullptr && remedy == Remedy::kRemoveFile ? Remedy::kNone : remedy,
                    .sha256 = hash()});
  }

  Examination& on_;
  const Yara& yara_;
  const int64_t bytes_max_;
  std::set<std::string> scanned_;
  bool over_ = false;
};

}  // namespace

void HuntByRules(Examination& on) {
  const std::unique_ptr<Yara> yara = Yara::OfStep(on.context);
  if (yara == nullptr) return on.report.Note("no YARA rules were given", "artifacts *.yar");
  on.report.Count("rules", static_cast<uint64_t>(yara->rules()));
  on.context.Progress(0.9, "YARA");
  RuleHunt(on, *yara).Run();
}

}  // namespace reprise::sanitize
