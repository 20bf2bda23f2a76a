// A service of a profile under the host's supervisor: its run script or unit made from data, word by word. What the data
// say is quoted, never read by a shell. Where reads or writes are given, the program runs in bubblewrap and sees nothing
// else of the host. systemd's part was never run: test machines have none.
#pragma once

#include <pwd.h>

#include <filesystem>
#include <set>
#include <set>
#include <string>
#include <vector>

#include "plugins/sdk/application/profile.h"
#include "plugins/sdk/application/as_user.h"
#include "plugins/sdk/service.h"

namespace reprise::sdk::application {

namespace supervised_internal {

inline std::string Quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

inline std::string QuotedForSystemd(const std::string& word) {
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
    if (c == '%' || c == '$') text += c;
  }
  return text + "\"";
}

inline std::string UnitPath(const std::string& name) { return "/etc/systemd/system/" + name + ".service"; }

}  // namespace supervised_internal

// A folder with all above it, which every user may enter, whatever mask this process has. Folders that are there stay as they are.
inline void MakeOpenFolder(const std::filesystem::path& folder) {
  if (folder.has_relative_path()) MakeOpenFolder(folder.parent_path());
  if (mkdir(folder.c_str(), 0755) == 0) {
    if (chmod(folder.c_str(), 0755) != 0) ThrowErrno(errno, "chmod " + folder.string());
  } else if (errno != EEXIST) {
    ThrowErrno(errno, "make " + folder.string());
  }
}

// The whole command: confinement, user, program. Throws Error "no_user".
inline std::vector<std::string> CommandOf(const ServiceSpec& spec) {
  std::vector<std::string> words;
  const auto add = [&](std::vector<std::string> more) { words.insert(words.end(), more.begin(), more.end()); };
  if (!spec.reads.empty() || !spec.writes.empty()) {
    add({"/usr/bin/bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
         "--symlink", "usr/lib64", "/lib64"});
    // bubblewrap would make what is above them for root only.
    std::set<std::string> above = {"/etc"};
    for (const std::vector<std::string>& paths : {spec.reads, spec.writes}) {
      for (const std::filesystem::path path : paths) {
        for (auto up = path.parent_path(); up.has_relative_path() && up != "/usr"; up = up.parent_path()) above.insert(up.string());
      }
    }
    for (const std::string& folder : above) add({"--perms", "0755", "--dir", folder});
    add({"--ro-bind", "/etc/passwd", "/etc/passwd", "--ro-bind", "/etc/group", "/etc/group", "--dev", "/dev", "--proc", "/proc",
         "--perms", "1777", "--tmpfs", "/tmp"});
    for (const std::string& path : spec.reads) add({"--ro-bind", path, path});
    for (const std::string& path : spec.writes) add({"--bind", path, path});
    add({"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session", "--chdir", "/"});
  }
  // Not every user has a group of his name: nobody's is nogroup.
  const passwd* user = getpwnam(spec.user.c_str());
  const std::string group = user == nullptr ? spec.user : std::to_string(user->pw_gid);
  add({"/usr/bin/setpriv", "--reuid=" + spec.user, "--regid=" + group, "--init-groups", "--no-new-privs",
       "--inh-caps=-all", "--bounding-set=-all", "--"});
  if (!spec.environment.empty()) add({"/usr/bin/env"});
  for (const auto& [name, value] : spec.environment) add({name + "=" + value});
  add(spec.command);
  return words;
}

inline std::string RunitScript(const ServiceSpec& spec) {
  std::string text = "#!/bin/sh\n# Written by Reprise: " + spec.title + "\nexec 2>&1\ncd /\nexec";
  for (const std::string& word : CommandOf(spec)) text += " " + supervised_internal::Quoted(word);
  return text + "\n";
}

inline std::string SystemdUnit(const ServiceSpec& spec) {
  std::string text = "# Written by Reprise.\n[Unit]\nDescription=" + spec.title + "\nAfter=network.target\n\n[Service]\nExecStart=";
  bool first = true;
  for (const std::string& word : CommandOf(spec)) {
    text += (first ? "" : " ") + supervised_internal::QuotedForSystemd(word);
    first = false;
  }
  return text + "\nRestart=on-failure\nKillMode=mixed\n\n[Install]\nWantedBy=multi-user.target\n";
}

inline bool IsInstalled(const Services& services, const ServiceSpec& spec) {
  if (spec.existing) return services.State(spec.name) != ServiceState::kMissing;
  if (services.supervisor() == Supervisor::kSystemd) {
    return ReadFileIfThere(supervised_internal::UnitPath(spec.name)) == SystemdUnit(spec);
  }
  return ReadFileIfThere("/etc/service/" + spec.name + "/run") == RunitScript(spec);
}

// Makes the service known to the supervisor, running as `spec` says: a new script is not what runs until it starts anew.
inline void Install(const Context& context, const Services& services, const ServiceSpec& spec) {
  if (services.supervisor() == Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: service " + spec.name + " cannot be kept running");
  }
  if (IsInstalled(services, spec)) return;
  if (spec.existing) throw Error("no_service", "service " + spec.name + " is not known to this host",
                                 "install the package that brings it, or let the profile describe it");
  if (services.supervisor() == Supervisor::kSystemd) {
    WriteFileAtomically(supervised_internal::UnitPath(spec.name), SystemdUnit(spec));
    RunOrThrow(context, {"systemctl", "daemon-reload"});
  } else {
    const bool ran = services.State(spec.name) == ServiceState::kRunning;
    services.InstallRunit(spec.name, RunitScript(spec));
    if (ran) services.Restart(spec.name);
  }
}

// True if there was one.
inline bool Uninstall(const Context& context, const Services& services, const ServiceSpec& spec) {
  if (spec.existing) return false;
  if (services.supervisor() == Supervisor::kRunit) return services.RemoveRunit(spec.name);
  if (services.supervisor() != Supervisor::kSystemd || services.State(spec.name) == ServiceState::kMissing) return false;
  services.Stop(spec.name);
  RemoveFile(supervised_internal::UnitPath(spec.name));
  RunOrThrow(context, {"systemctl", "daemon-reload"});
  return true;
}

}  // namespace reprise::sdk::application
