#include <algorithm>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

// What a unit or script says that is worth telling, and how sure it makes us.
struct Reading {
  std::string shown;
  Sure sure = Sure::kLikely;
};

Reading ReadScript(const std::string& text, bool unit) {
  Reading reading;
  for (const std::string& line : Lines(text)) {
    const std::string plain = Trimmed(line);
    if (plain.empty() || plain[0] == '#' || plain[0] == ';') continue;
    const bool starts = plain.compare(0, 4, "Exec") == 0 || plain.compare(0, 11, "Environment") == 0;
    if (unit && !starts) continue;
    if (const auto suspicion = Suspect(plain); suspicion && suspicion->sure >= reading.sure) {
      reading = {plain + " (" + suspicion->why + ")", suspicion->sure};
      if (reading.sure == Sure::kCertain) break;
    }
    if (reading.shown.empty()) reading.shown = plain;
  }
  reading.shown = reading.shown.substr(0, 300);
  return reading;
}

void JudgeServiceFile(Examination& on, const std::string& path, const std::string& kind, bool unit) {
  const auto found = on.tree.Look(path);
  if (!found || on.records.Owns(on.tree, path)) return;
  if (S_ISLNK(found->st_mode)) {
    const std::string target = on.tree.LinkTarget(path);
    const auto real = on.tree.Real(path);
    // Masked, or left over from a package that is gone.
    if (target == "/dev/null" || !real) return on.report.Note("links to nothing among services", path + " -> " + target);
    on.report.Add({.kind = kind,
                   .path = path,
                   .expected = "a link to a file of a package",
                   .found = "a link to " + *real,
                   .remedy = Remedy::kRemoveFile,
                   .sha256 = on.tree.Sha256(path)});
    return;
  }
  const Reading reading = ReadScript(on.tree.Read(path).value_or(""), unit);
  on.report.Add({.kind = kind,
                 .path = path,
                 .expected = "a package that owns it",
                 .found = reading.shown,
                 .sure = reading.sure,
                 .remedy = Remedy::kRemoveFile,
                 .sha256 = on.tree.Sha256(path)});
}

void HuntUnits(Examination& on, const std::string& folder) {
  for (const std::string& path : FilesIn(on, folder, true)) {
    on.Try(path, [&] { JudgeServiceFile(on, path, "systemd_unit", true); });
  }
}

}  // namespace

void HuntServices(Examination& on) {
  for (const char* folder : {"/etc/systemd/system", "/etc/systemd/user", "/usr/lib/systemd/system", "/usr/lib/systemd/user",
                             "/usr/local/lib/systemd", "/run/systemd/system", "/etc/systemd/system-generators",
                             "/usr/lib/systemd/system-generators", "/etc/systemd/user-generators"}) {
    HuntUnits(on, folder);
  }
  for (const Account& account : AccountsOf(on.tree)) {
    on.Try(account.home, [&] { HuntUnits(on, account.home + "/.config/systemd/user"); });
  }
  for (const char* folder : {"/etc/service", "/service", "/etc/sv"}) {
    for (const std::string& name : on.tree.Names(folder)) {
      const std::string service = std::string(folder) + "/" + name;
      const auto found = on.tree.Look(service);
      if (!found) continue;
      if (S_ISLNK(found->st_mode)) {
        const auto real = on.tree.Real(service);
        if (!real) on.report.Note("links to nothing among services", service + " -> " + on.tree.LinkTarget(service));
        // A link into /etc/sv: what it leads to is judged there.
        if (!real || IsBelow(*real, "/etc/sv")) continue;
      }
      for (const char* script : {"/run", "/finish", "/check", "/log/run", "/log/finish"}) {
        on.Try(service, [&] { JudgeServiceFile(on, service + script, "runit_service", false); });
      }
    }
  }
  for (const std::string& path : FilesIn(on, "/etc/init.d", false)) {
    on.Try(path, [&] { JudgeServiceFile(on, path, "sysv_service", false); });
  }
  for (const char* path : {"/etc/rc.local", "/etc/rc.d/rc.local"}) {
    const auto found = on.tree.Look(path);
    if (!found || (found->st_mode & 0111) == 0) continue;
    const std::string text = on.tree.Read(path).value_or("");
    const std::vector<std::string> lines = Lines(text);
    const bool does_something = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
      const std::string plain = Trimmed(line);
      return !plain.empty() && plain[0] != '#' && plain != "exit 0";
    });
    if (does_something) JudgeServiceFile(on, path, "rc_local", false);
  }
}

}  // namespace reprise::sanitize
