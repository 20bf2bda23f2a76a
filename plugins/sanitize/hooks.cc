#include <algorithm>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

// Folders whose files are run, or tell what is run. `only`: a file counts only if a line has one of these words ("" ends).
struct Hook {
  const char* folder;
  const char* kind;
  const char* only[3];
};
constexpr Hook kHooks[] = {
    {"/etc/profile.d", "shell_profile", {}},
    {"/etc/update-motd.d", "login_hook", {}},
    {"/etc/X11/Xsession.d", "login_hook", {}},
    {"/etc/xdg/autostart", "login_hook", {}},
    {"/etc/udev/rules.d", "udev_rule", {"RUN", "PROGRAM", "IMPORT{program}"}},
    {"/usr/lib/udev/rules.d", "udev_rule", {"RUN", "PROGRAM", "IMPORT{program}"}},
    {"/run/udev/rules.d", "udev_rule", {"RUN", "PROGRAM", "IMPORT{program}"}},
    {"/etc/modprobe.d", "module_autoload", {"install ", "softdep "}},
    {"/etc/modules-load.d", "module_autoload", {}},
    {"/usr/lib/modules-load.d", "module_autoload", {}},
    {"/etc/initramfs-tools/hooks", "boot_hook", {}},
    {"/etc/initramfs-tools/scripts", "boot_hook", {}},
    {"/etc/kernel/postinst.d", "boot_hook", {}},
    {"/etc/apt/apt.conf.d", "apt_hook", {"Invoke", "Pre-Install-Pkgs"}},
    {"/etc/dpkg/dpkg.cfg.d", "apt_hook", {"pre-invoke", "post-invoke", "status-logger"}},
    {"/etc/network/if-up.d", "network_hook", {}},
    {"/etc/network/if-pre-up.d", "network_hook", {}},
    {"/etc/network/if-down.d", "network_hook", {}},
    {"/etc/NetworkManager/dispatcher.d", "network_hook", {}},
    {"/etc/dhcp/dhclient-exit-hooks.d", "network_hook", {}},
    {"/etc/dhcp/dhclient-enter-hooks.d", "network_hook", {}},
    {"/etc/logrotate.d", "log_hook", {"postrotate", "prerotate", "firstaction"}},
    {"/etc/rsyslog.d", "log_hook", {"omprog", "program"}},
};

// Files that shells and sessions read: judged line by line, for people change them.
constexpr const char* kShellFiles[] = {"/etc/profile",  "/etc/bash.bashrc", "/etc/environment", "/etc/zsh/zshrc",
                                       "/etc/zshrc",    "/etc/zsh/zshenv",  "/etc/ssh/sshrc",   "/etc/security/pam_env.conf",
                                       "/etc/inputrc"};
constexpr const char* kHomeFiles[] = {".bashrc",  ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc",
                                      ".zshenv",  ".xinitrc",      ".xprofile",   ".pam_environment", ".ssh/rc",
                                      ".ssh/environment"};

bool Matters(const Hook& hook, const std::string& text, std::string& line_that_does) {
  for (const std::string& line : Lines(text)) {
    const std::string plain = Trimmed(line);
    if (plain.empty() || plain[0] == '#' || plain.compare(0, 2, "//") == 0) continue;
    const bool any = hook.only[0] == nullptr;
    const bool named = std::any_of(std::begin(hook.only), std::end(hook.only), [&](const char* word) {
      return word != nullptr && plain.find(word) != std::string::npos;
    });
    if (any || named) {
      line_that_does = plain;
      return true;
    }
  }
  return false;
}

void JudgeHooks(Examination& on, const Hook& hook) {
  for (const std::string& path : FilesIn(on, hook.folder, true)) {
    if (on.records.Owns(on.tree, path) || on.tree.LinkTarget(path) == "/dev/null") continue;
    const std::string text = on.tree.Read(path).value_or("");
    std::string shown;
    if (!Matters(hook, text, shown)) continue;
    Sure sure = Sure::kPossible;
    for (const std::string& line : Lines(text)) {
      const auto suspicion = Trimmed(line).compare(0, 1, "#") == 0 ? std::nullopt : Suspect(line);
      if (!suspicion || suspicion->sure <= sure) continue;
      sure = suspicion->sure, shown = Trimmed(line) + " (" + suspicion->why + ")";
    }
    on.report.Add({.kind = hook.kind,
                   .path = path,
                   .expected = "a package that owns it",
                   .found = shown.substr(0, 300),
                   .sure = sure,
                   .remedy = Remedy::kRemoveFile,
                   .sha256 = on.tree.Sha256(path)});
  }
}

void JudgeShellFile(Examination& on, const std::string& path) {
  for (const std::string& line : Lines(on.tree.Read(path).value_or(""))) {
    const std::string plain = Trimmed(line);
    const auto suspicion = plain.empty() || plain[0] == '#' ? std::nullopt : Suspect(plain);
    // A mere mention of /tmp is common in what people write for themselves.
    if (!suspicion || (suspicion->sure < Sure::kCertain && plain.find("/tmp/") != std::string::npos)) continue;
    on.report.Add({.kind = "shell_profile",
                   .path = path,
                   .expected = "nothing that runs by itself at login",
                   .found = plain.substr(0, 300) + " (" + suspicion->why + ")",
                   .sure = suspicion->sure,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .sha256 = on.tree.Sha256(path)});
  }
}

void JudgeModules(Examination& on) {
  constexpr const char* kPath = "/etc/modules";
  for (const std::string& line : Lines(on.tree.Read(kPath).value_or(""))) {
    const std::string plain = Trimmed(line);
    if (plain.empty() || plain[0] == '#') continue;
    on.report.Add({.kind = "module_autoload",
                   .path = kPath,
                   .expected = "no module that nobody knows",
                   .found = plain,
                   .sure = Sure::kPossible,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .sha256 = on.tree.Sha256(kPath)});
  }
}

}  // namespace

void HuntHooks(Examination& on) {
  for (const Hook& hook : kHooks) {
    on.Try(hook.folder, [&] { JudgeHooks(on, hook); });
  }
  for (const char* path : kShellFiles) {
    on.Try(path, [&] { JudgeShellFile(on, path); });
  }
  std::vector<std::string> homes;
  for (const Account& account : AccountsOf(on.tree)) homes.push_back(account.home);
  std::sort(homes.begin(), homes.end());
  homes.erase(std::unique(homes.begin(), homes.end()), homes.end());
  for (const std::string& home : homes) {
    for (const char* name : kHomeFiles) {
      on.Try(home + "/" + name, [&] { JudgeShellFile(on, home + "/" + name); });
    }
  }
  on.Try("/etc/modules", [&] { JudgeModules(on); });
}

}  // namespace reprise::sanitize
