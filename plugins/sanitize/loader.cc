#include <algorithm>
#include <sstream>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string WithoutComment(const std::string& line) { return Trimmed(line.substr(0, line.find('#'))); }

void HuntPreload(Examination& on) {
  constexpr const char* kPath = "/etc/ld.so.preload";
  for (const std::string& line : Lines(on.tree.Read(kPath).value_or(""))) {
    const std::string plain = WithoutComment(line);
    if (plain.empty()) continue;
    bool sound = true;
    for (const std::string& named : Words(plain)) {
      if (on.records.Owns(on.tree, named)) continue;
      sound = false;
      const std::string library = on.tree.Real(named).value_or("");
      if (library.empty()) continue;
      on.scan.push_back(library);
      on.report.Add({.kind = "preload",
                     .path = library,
                     .expected = "no library that no package owns loaded into every program",
                     .found = "named by " + std::string(kPath),
                     .sure = Sure::kCertain,
                     .remedy = Remedy::kRemoveFile,
                     .sha256 = on.tree.Sha256(library)});
    }
    on.report.Add({.kind = "preload",
                   .path = kPath,
                   .expected = "nothing loaded into every program",
                   .found = plain,
                   .sure = sound ? Sure::kLikely : Sure::kCertain,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .sha256 = on.tree.Sha256(kPath)});
  }
}

// Folders that are searched for libraries before or beside the system's.
void HuntLdConf(Examination& on) {
  for (const std::string& path : FilesIn(on, "/etc/ld.so.conf.d", false)) {
    if (on.records.Owns(on.tree, path)) continue;
    bool odd = false;
    std::string shown;
    for (const std::string& line : Lines(on.tree.Read(path).value_or(""))) {
      const std::string folder = WithoutComment(line);
      odd = odd || IsOddPlaceForPrograms(folder) || Suspect(folder).has_value();
      if (!folder.empty()) shown += (shown.empty() ? "" : ", ") + folder;
    }
    on.report.Add({.kind = "ld_conf",
                   .path = path,
                   .expected = "a package that owns it",
                   .found = "libraries are searched in " + shown.substr(0, 300),
                   .sure = odd ? Sure::kCertain : Sure::kPossible,
                   .remedy = Remedy::kRemoveFile,
                   .sha256 = on.tree.Sha256(path)});
  }
}

void JudgePamLine(Examination& on, const std::string& path, const std::string& line) {
  const std::vector<std::string> words = Words(WithoutComment(line));
  const auto module = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word.find(".so") != std::string::npos && word.find('=') == std::string::npos;
  });
  if (module == words.end()) return;
  const std::string name = module->substr(module->rfind('/') + 1);
  Finding finding = {.kind = "pam", .path = path, .found = Trimmed(line), .remedy = Remedy::kEditLine, .line = line};
  const bool lets_in = words[0].find("auth") != std::string::npos && words.size() > 1 && words[1] == "sufficient";
  if ((*module)[0] == '/' && !on.records.Owns(on.tree, *module)) {
    finding.expected = "modules of packages";
    finding.sure = Sure::kCertain;
  } else if (name == "pam_permit.so" && lets_in) {
    finding.expected = "nobody let in without proof";
    finding.sure = Sure::kCertain;
  } else if (name == "pam_exec.so" || name == "pam_python.so") {
    finding.expected = "no program run at each login";
  } else {
    return;
  }
  finding.sha256 = on.tree.Sha256(path);
  on.report.Add(std::move(finding));
}

void HuntNss(Examination& on) {
  constexpr const char* kPath = "/etc/nsswitch.conf";
  for (const std::string& line : Lines(on.tree.Read(kPath).value_or(""))) {
    const std::string plain = WithoutComment(line);
    const size_t colon = plain.find(':');
    if (colon == std::string::npos) continue;
    for (const std::string& name : Words(plain.substr(colon + 1))) {
      if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) continue;
      for (const char* folder : {"/usr/lib/x86_64-linux-gnu/", "/usr/lib/", "/usr/local/lib/"}) {
        const std::string library = on.tree.Real(folder + ("libnss_" + name) + ".so.2").value_or("");
        if (library.empty() || on.records.Owns(on.tree, library)) continue;
        on.report.Add({.kind = "nsswitch",
                       .path = library,
                       .expected = "a package that owns it",
                       .found = std::string(kPath) + " has " + plain,
                       .sure = Sure::kCertain,
                       .remedy = Remedy::kRemoveFile,
                       .sha256 = on.tree.Sha256(library)});
      }
    }
  }
}

}  // namespace

void HuntLoader(Examination& on) {
  on.Try("/etc/ld.so.preload", [&] { HuntPreload(on); });
  on.Try("/etc/ld.so.conf.d", [&] { HuntLdConf(on); });
  for (const std::string& path : FilesIn(on, "/etc/pam.d", false)) {
    on.Try(path, [&] {
      for (const std::string& line : Lines(on.tree.Read(path).value_or(""))) JudgePamLine(on, path, line);
    });
  }
  on.Try("/etc/nsswitch.conf", [&] { HuntNss(on); });
}

}  // namespace reprise::sanitize
