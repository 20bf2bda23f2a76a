// The places from which an intruder comes back: by the clock, at boot, at login, into every program. Each hunt looks into some
// of them; what no package owns and no profile knows is a finding, certain where the content says what it is.
#pragma once

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

// Kind cron: /etc/crontab, cron.*, anacron, crontabs of users, at. Lines that are not Debian's; files that no package owns.
void HuntCron(Examination& on);
// Kinds systemd_unit, runit_service, sysv_service, rc_local.
void HuntServices(Examination& on);
// Kind authorized_key: keys of all users that no profile knows; and where sshd was told to look for others.
void HuntKeys(Examination& on);
// Kinds preload, ld_conf, pam, nsswitch: what is loaded into every program.
void HuntLoader(Examination& on);
// Kinds uid_zero, empty_password, sudoers.
void HuntAccounts(Examination& on);
// Kinds shell_profile, udev_rule, module_autoload, apt_hook, login_hook, network_hook: files and lines that others run.
void HuntHooks(Examination& on);

// Names of /etc/passwd with their homes.
struct Account {
  std::string line, name, password, home;
  std::string uid;
};
std::vector<Account> AccountsOf(const Tree& tree);

// Every regular file (and link) of a folder, by its path; deeper ones too if asked. What cannot be read is reported.
std::vector<std::string> FilesIn(Examination& on, const std::string& folder, bool deep);

}  // namespace reprise::sanitize
