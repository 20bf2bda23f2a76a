#include "plugins/sanitize/examination.h"

#include <algorithm>

#include "plugins/sanitize/golden.h"
#include "plugins/sanitize/integrity.h"
#include "plugins/sanitize/live.h"
#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/yara_hunt.h"

namespace reprise::sanitize {
namespace {

constexpr std::chrono::seconds kReserve(5);  // Before the deadline, so that what was found is still told.

std::set<std::string, std::less<>> Excluded(const sdk::Context& context) {
  std::set<std::string, std::less<>> excluded;
  for (std::string path : context.Param<std::vector<std::string>>("exclude")) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (path == "/") throw sdk::Error("bad_params", "parameter exclude has /, which would leave nothing to look at");
    excluded.insert(std::move(path));
  }
  return excluded;
}

}  // namespace

Examination::Examination(const sdk::Context& given)
    : context(given),
      tree(given.Param("root")),
      profile(ProfileOf(given)),
      golden(GoldenOf(given)),
      report(profile, golden),
      exclude_(Excluded(given)),
      until_(sdk::Context::Clock::now() + std::min<std::chrono::milliseconds>(given.Duration("budget"), given.TimeLeft() - kReserve)) {
  for (const char* list : {"exclude", "yara_paths"}) {
    for (const std::string& path : given.Param<std::vector<std::string>>(list)) {
      if (sdk::IsPlainPath(path)) continue;
      throw sdk::Error("bad_params", std::string("parameter ") + list + " has " + path.substr(0, 80) +
                                         ", expected absolute paths without ..");
    }
  }
}

bool Examination::IsExcluded(const std::string& path) const {
  if (exclude_.empty()) return false;
  // Asked of every file of a host: itself, then each folder above it.
  for (size_t end = path.size(); end != 0 && end != std::string::npos; end = path.rfind('/', end - 1)) {
    if (exclude_.contains(std::string_view(path).substr(0, end))) return true;
  }
  return false;
}

bool Examination::GoOn(const std::string& where) {
  context.ThrowIfCancelled();
  if (over_) return false;
  if (sdk::Context::Clock::now() < until_) return true;
  over_ = true;
  report.Unseen(where, "the time is over: this and all after it");
  return false;
}

void ExamineAll(Examination& on) {
  // What is quick and tells most comes first, so that a short budget still finds it.
  on.context.Progress(0, "dpkg's records");
  on.Try("/var/lib/dpkg", [&] { on.records = DpkgRecords::Read(on.tree, on.report); });
  on.Try("cron", [&] { HuntCron(on); });
  on.Try("services", [&] { HuntServices(on); });
  on.Try("authorized_keys", [&] { HuntKeys(on); });
  on.Try("the loader", [&] { HuntLoader(on); });
  on.Try("accounts", [&] { HuntAccounts(on); });
  on.Try("hooks", [&] { HuntHooks(on); });
  on.Try("processes", [&] { HuntLive(on); });
  on.Try("packages' files", [&] { ComparePackagedFiles(on); });
  on.Try("all files", [&] { WalkTree(on); });
  on.Try("YARA's rules", [&] { HuntByRules(on); });
}

sdk::Params ExaminationParams(std::vector<sdk::Param> more) {
  sdk::Params params = {
      sdk::Path("root").Default("/").About("The host itself, or where the disk of another host is mounted"),
      sdk::List("exclude").Default(sdk::Json::array()).AtMost(256).About("Neither walked nor compared, with all below; said in the notes"),
      sdk::List("yara_paths")
          .Default({"/tmp", "/var/tmp", "/dev/shm", "/root", "/home"})
          .AtMost(64)
          .About("Scanned with YARA's rules, besides what is flagged and code that no package owns"),
      sdk::Integer("yara_file_mb").Range(1, 512).Default(64).About("Larger files are not scanned by rules, and said so"),
      sdk::Duration("budget").Default("15m").About("What is not looked at by then is unknown"),
      sdk::Integer("shown_max").Range(1, 500).Default(200).About("Findings in the answer; all are in the evidence")};
  for (sdk::Param& param : more) params.Add(std::move(param));
  return params;
}

}  // namespace reprise::sanitize
