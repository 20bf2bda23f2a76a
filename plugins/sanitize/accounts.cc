#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

void HuntEmptyPasswords(Examination& on) {
  constexpr const char* kShadow = "/etc/shadow";
  const auto text = on.tree.Read(kShadow);
  if (!text) return on.report.Unseen(kShadow, "it is not there: passwords are kept elsewhere");
  for (const std::string& line : Lines(*text)) {
    const size_t first = line.find(':');
    if (first == std::string::npos || line.compare(first, 2, "::") != 0) continue;
    on.report.Add({.kind = "empty_password",
                   .path = kShadow,
                   .expected = "a password, or none that opens",
                   .found = "account " + line.substr(0, first) + " opens without a password",
                   .sure = Sure::kCertain,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .with = line.substr(0, first) + ":!" + line.substr(first + 1),
                   .sha256 = on.tree.Sha256(kShadow)});
  }
}

void HuntSudoers(Examination& on) {
  for (const std::string& path : FilesIn(on, "/etc/sudoers.d", false)) {
    if (on.records.Owns(on.tree, path)) continue;
    std::string shown;
    for (const std::string& line : Lines(on.tree.Read(path).value_or(""))) {
      const std::string plain = Trimmed(line);
      if (!plain.empty() && plain[0] != '#') shown += (shown.empty() ? "" : "; ") + plain;
    }
    on.report.Add({.kind = "sudoers",
                   .path = path,
                   .expected = "a package that owns it",
                   .found = shown.substr(0, 300),
                   .remedy = Remedy::kRemoveFile,
                   .sha256 = on.tree.Sha256(path)});
  }
}

}  // namespace

void HuntAccounts(Examination& on) {
  constexpr const char* kPasswd = "/etc/passwd";
  const std::vector<Account> accounts = AccountsOf(on.tree);
  if (accounts.empty()) on.report.Unseen(kPasswd, "it has no accounts");
  for (const Account& account : accounts) {
    Finding finding = {.path = kPasswd, .sure = Sure::kCertain, .remedy = Remedy::kEditLine, .line = account.line};
    if (account.uid == "0" && account.name != "root") {
      finding.kind = "uid_zero";
      finding.expected = "nobody but root with user id 0";
      finding.found = "account " + account.name + " has user id 0";
    } else if (account.password.empty()) {
      finding.kind = "empty_password";
      finding.expected = "a password, or none that opens";
      finding.found = "account " + account.name + " opens without a password";
      finding.with = account.name + ":!" + account.line.substr(account.name.size() + 1);
    } else {
      continue;
    }
    finding.sha256 = on.tree.Sha256(kPasswd);
    on.report.Add(std::move(finding));
  }
  on.Try("/etc/shadow", [&] { HuntEmptyPasswords(on); });
  on.Try("/etc/sudoers.d", [&] { HuntSudoers(on); });
}

}  // namespace reprise::sanitize
