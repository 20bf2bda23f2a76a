#include <algorithm>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

// The jobs that Debian's own crontabs have: they start what lies in the folders that are looked into.
bool IsDebians(const std::string& line) {
  for (const char* own : {"run-parts --report /etc/cron.", "/etc/init.d/anacron", "run-parts --report /etc/cron.hourly"}) {
    if (line.find(own) != std::string::npos && !Suspect(line)) return true;
  }
  return false;
}

bool IsJob(const std::string& line) {
  const std::string text = Trimmed(line);
  if (text.empty() || text[0] == '#') return false;
  // "NAME = value"; LD_PRELOAD there is as good as a job.
  const size_t equals = text.find('=');
  const size_t space = text.find_first_of(" \t");
  const bool assigns = equals != std::string::npos && text.find_first_of("*@") != 0 && !(text[0] >= '0' && text[0] <= '9') &&
                       (space == std::string::npos || equals < space || text.find_first_not_of(" \t", space) == equals);
  return !assigns || text.compare(0, 3, "LD_") == 0;
}

void JudgeLines(Examination& on, const std::string& path, const std::string& whose) {
  const auto text = on.tree.Read(path);
  if (!text) return;
  for (const std::string& line : Lines(*text)) {
    if (!IsJob(line) || IsDebians(line)) continue;
    const auto suspicion = Suspect(line);
    on.report.Add({.kind = "cron",
                   .path = path,
                   .expected = "no job that nobody knows",
                   .found = whose + Trimmed(line) + (suspicion ? " (" + suspicion->why + ")" : ""),
                   .sure = suspicion ? suspicion->sure : Sure::kLikely,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .sha256 = on.tree.Sha256(path)});
  }
}

void JudgeCronFile(Examination& on, const std::string& path, const std::string& what) {
  if (on.records.Owns(on.tree, path)) return;  // Its content is compared with the package's.
  const auto text = on.tree.Read(path).value_or("");
  std::string why;
  Sure sure = Sure::kLikely;
  std::string shown;
  for (const std::string& line : Lines(text)) {
    const std::string plain = Trimmed(line);
    if (plain.empty() || plain[0] == '#') continue;
    if (shown.empty()) shown = plain;
    if (const auto suspicion = Suspect(plain); suspicion && (why.empty() || suspicion->sure > sure)) {
      why = " (" + suspicion->why + ")", sure = suspicion->sure, shown = plain;
    }
  }
  on.report.Add({.kind = "cron",
                 .path = path,
                 .expected = "a package that owns it",
                 .found = what + shown.substr(0, 300) + why,
                 .sure = sure,
                 .remedy = Remedy::kRemoveFile,
                 .sha256 = on.tree.Sha256(path)});
}

}  // namespace

void HuntCron(Examination& on) {
  for (const char* table : {"/etc/crontab", "/etc/anacrontab"}) {
    on.Try(table, [&] { JudgeLines(on, table, ""); });
  }
  for (const char* folder : {"/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
                             "/etc/cron.yearly"}) {
    for (const std::string& path : FilesIn(on, folder, false)) {
      on.Try(path, [&] { JudgeCronFile(on, path, ""); });
    }
  }
  for (const char* folder : {"/var/spool/cron/crontabs", "/var/spool/cron"}) {
    for (const std::string& path : FilesIn(on, folder, false)) {
      on.Try(path, [&] { JudgeLines(on, path, "user " + path.substr(path.rfind('/') + 1) + ": "); });
    }
  }
  for (const char* folder : {"/var/spool/cron/atjobs", "/var/spool/at"}) {
    for (const std::string& path : FilesIn(on, folder, false)) {
      if (path[path.rfind('/') + 1] != '.') on.Try(path, [&] { JudgeCronFile(on, path, "at: "); });
    }
  }
}

std::vector<std::string> FilesIn(Examination& on, const std::string& folder, bool deep) {
  std::vector<std::string> files;
  on.Try(folder, [&] {
    for (const std::string& name : on.tree.Names(folder)) {
      const std::string path = folder + "/" + name;
      const auto found = on.tree.Look(path);
      if (!found) continue;
      if (S_ISREG(found->st_mode) || S_ISLNK(found->st_mode)) files.push_back(path);
      if (!deep || !S_ISDIR(found->st_mode)) continue;
      const auto more = FilesIn(on, path, path.size() < 400);
      files.insert(files.end(), more.begin(), more.end());
    }
  });
  return files;
}

}  // namespace reprise::sanitize
