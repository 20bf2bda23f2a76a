// A PostgreSQL cluster of the application's own, as a supervised service: made, started, asked. Never the system's
// cluster. Clients run as the cluster's user over its socket; who is let in is decided by the kernel's word on who asks
// (peer), so that no password is needed and none is in an argument. Bases are owned by roles that are no superusers, and
// whatever comes from a dump runs as these.
#pragma once

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "plugins/sdk/application/profile.h"
#include "plugins/sdk/application/as_user.h"
#include "plugins/sdk/application/supervised.h"

namespace reprise::sdk::application {

// 'it''s'
inline std::string SqlText(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}
inline std::string SqlName(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// What a client of the base said went wrong, without the rows that it may quote.
inline std::string FirstComplaint(const std::string& err) {
  for (size_t begin = 0; begin < err.size();) {
    const size_t end = std::min(err.find('\n', begin), err.size());
    const std::string line = err.substr(begin, end - begin);
    if (line.find("rror") != std::string::npos || line.find("ERROR") != std::string::npos ||
        line.find("FATAL") != std::string::npos || line.find("PANIC") != std::string::npos) {
      return line.substr(0, 300);
    }
    begin = end + 1;
  }
  return err.substr(0, std::min<size_t>(err.find('\n'), 300));
}

// Turns a client's failure into an Error: disk_full, base_gone or `otherwise`.
[[noreturn]] inline void ThrowClient(const RunResult& result, const std::string& what, const std::string& otherwise) {
  const auto says = [&](const char* text) { return result.err.find(text) != std::string::npos; };
  if (says("No space left on device") || says("could not extend file")) {
    throw Error("disk_full", what + ": no space left for the base", "free space or move the cluster's folder, then retry the run");
  }
  if (says("server closed the connection") || says("terminating connection") || says("connection to server") ||
      says("the database system is") || says("no connection to the server")) {
    throw Error("base_gone", what + ": PostgreSQL went away: " + FirstComplaint(result.err),
                "see the log in the cluster's folder; the next try starts anew");
  }
  const std::string why = result.timed_out     ? "took too long"
                          : result.signal != 0 ? "killed by signal " + std::to_string(result.signal)
                                               : FirstComplaint(result.err);
  throw Error(otherwise, what + ": " + why);
}

class Postgres {
 public:
  Postgres(const Context& context, const Cluster& cluster) : context_(context), cluster_(cluster) {}

  const Cluster& cluster() const { return cluster_; }
  ServiceSpec Spec() const {
    ServiceSpec spec;
    spec.name = cluster_.service;
    spec.title = "PostgreSQL of " + cluster_.service;
    spec.user = cluster_.user;
    spec.command = {cluster_.programs + "/postgres", "-D", cluster_.folder};
    return spec;
  }

  // Made by us, whole.
  bool IsMade() const { return access((cluster_.folder + "/reprise-cluster").c_str(), F_OK) == 0; }
  // Makes it if it is not there, keeps its configuration as wanted, and returns once it answers.
  void BringUp(const Profile& profile) const;
  bool Answers() const { return Query("postgres", "postgres", "SELECT 1").ok(); }
  // Returns once it answers; throws Error "cluster_down".
  void WaitForAnswer(std::chrono::seconds wait = std::chrono::seconds(60)) const;
  // Ends other people's sessions, so that it can be stopped.
  void EndSessions() const {
    Query("postgres", "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                  " AND backend_type = 'client backend'");
  }

  // The arguments of a client program of the cluster, `program` with its own `more`.
  std::vector<std::string> Client(const std::string& program, const std::string& base, const std::string& role,
                                  const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {cluster_.programs + "/" + program, "--host=" + cluster_.socket,
                                          "--port=" + std::to_string(cluster_.port), "--username=" + role,
                                          "--no-password", "--dbname=" + base};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return AsUser(cluster_.user, arguments);
  }
  RunOptions ClientOptions(const std::string& settings = "") const {
    RunOptions options;
    options.folder = "/";
    options.environment = {{"PGTZ", cluster_.time_zone}, {"PGCONNECT_TIMEOUT", "10"}, {"PGCLIENTENCODING", "UTF8"},
                           {"HOME", "/nonexistent"}, {"PGOPTIONS", settings}};
    return options;
  }

  // One value or several, a line for each row, columns divided by tabs.
  RunResult Query(const std::string& base, const std::string& role, const std::string& sql,
                  const std::string& settings = "") const {
    return Run(context_, Client("psql", base, role, {"-X", "-A", "-t", "-q", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql}),
               ClientOptions(settings));
  }
  // The same without the last line's end. Throws, calling it `what`.
  std::string Ask(const std::string& base, const std::string& role, const std::string& sql, const std::string& what,
                  const std::string& settings = "") const {
    RunResult result = Query(base, role, sql, settings);
    if (!result.ok()) ThrowClient(result, what, "query_failed");
    if (result.truncated) throw Error("too_large", what + ": the answer is longer than 256 KiB");
    while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
    return result.out;
  }
  // As the owner of the base, who cannot change anything meanwhile: for what comes from a profile or a dump.
  std::string AskReading(const std::string& base, const std::string& role, const std::string& sql,
                         const std::string& what, const std::string& more_settings = "") const {
    return Ask(base, role, sql, what, kReading + more_settings);
  }
  void Do(const std::string& sql, const std::string& what) const { Ask("postgres", "postgres", sql, what); }

  static constexpr const char* kReading =
      "-c default_transaction_read_only=on -c statement_timeout=600000 -c search_path=pg_catalog,public ";

 private:
  void Make() const;
  void Own(const std::string& path, mode_t mode) const;
  bool WriteIfOther(const std::string& name, const std::string& content) const;
  bool Configure(const Profile& profile) const;
  void MakeRoles(const Profile& profile) const;

  const Context& context_;
  const Cluster& cluster_;
};

// ---- implementation ----

inline void Postgres::Own(const std::string& path, mode_t mode) const {
  const passwd* user = getpwnam(cluster_.user.c_str());
  if (user == nullptr) {
    throw Error("no_user", "user " + cluster_.user + " is not on this host", "install the package postgresql-15");
  }
  if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0 || chmod(path.c_str(), mode) != 0) {
    ThrowErrno(errno, "give " + path + " to " + cluster_.user);
  }
}

inline void Postgres::Make() const {
  if (access((cluster_.programs + "/initdb").c_str(), X_OK) != 0) {
    throw Error("not_found", cluster_.programs + "/initdb is not on this host", "install the package postgresql-15");
  }
  std::error_code ignored;
  if (std::filesystem::exists(cluster_.folder, ignored)) {
    throw Error("foreign_folder", cluster_.folder + " is there and is no cluster that this adapter made",
                "name another cluster folder in the profile, or move this one away");
  }
  const std::filesystem::path folder(cluster_.folder);
  const std::string making = cluster_.folder + ".making";
  MakeOpenFolder(folder.parent_path());
  std::filesystem::remove_all(making);
  if (mkdir(making.c_str(), 0700) != 0) ThrowErrno(errno, "make " + making);
  Own(making, 0700);
  context_.Progress(0.02, "making a PostgreSQL cluster");
  const RunResult made = Run(context_,
                             AsUser(cluster_.user, {cluster_.programs + "/initdb", "--pgdata=" + making, "--encoding=UTF8",
                                                    "--locale=C.UTF-8", "--username=postgres", "--auth=reject",
                                                    "--data-checksums"}),
                             ClientOptions());
  if (!made.ok()) ThrowClient(made, "initdb", "cluster_failed");
  WriteFileAtomically(making + "/reprise-cluster", "made by Reprise\n");
  if (rename(making.c_str(), cluster_.folder.c_str()) != 0) ThrowErrno(errno, "rename " + making);
  SyncFolder(folder.parent_path());
}

inline bool Postgres::WriteIfOther(const std::string& name, const std::string& content) const {
  const std::string path = cluster_.folder + "/" + name;
  if (ReadFileIfThere(path) == content) return false;
  WriteFileAtomically(path, content, 0644);  // In a folder of mode 0700.
  return true;
}

inline bool Postgres::Configure(const Profile& profile) const {
  std::string settings = "# Written by Reprise.\nlisten_addresses = " + SqlText(cluster_.listen) +
                         "\nport = " + std::to_string(cluster_.port) + "\nunix_socket_directories = " + SqlText(cluster_.socket) +
                         "\nunix_socket_permissions = 0777\nlogging_collector = on\nlog_directory = 'log'\n"
                         "log_filename = 'postgresql-%a.log'\nlog_truncate_on_rotation = on\nlog_rotation_age = 1d\n"
                         "# Rows are no business of a log.\nlog_error_verbosity = terse\n"
                         "log_min_error_statement = panic\nlog_statement = 'none'\n";
  for (const std::string& line : cluster_.settings) settings += line + "\n";
  std::string access_rules = "# Written by Reprise.\nlocal all postgres peer map=reprise\n";
  std::string names = "# Written by Reprise.\nreprise " + cluster_.user + " postgres\n";
  for (const Module& module : profile.modules) {
    access_rules += "local all " + SqlName(module.owner) + " peer map=reprise\n";
    names += "reprise " + cluster_.user + " " + SqlName(module.owner) + "\n";
  }
  for (const Role& role : profile.roles) {
    for (const Module& module : profile.modules) {
      access_rules += "local " + SqlName(module.base) + " " + SqlName(role.name) + " peer map=reprise\n";
      if (!role.password_file.empty() && !cluster_.listen.empty()) {
        access_rules += "host " + SqlName(module.base) + " " + SqlName(role.name) + " all scram-sha-256\n";
      }
    }
    names += "reprise " + role.os_user + " " + SqlName(role.name) + "\n";
  }
  const bool settings_changed = WriteIfOther("postgresql.conf", settings);
  const bool rules_changed = WriteIfOther("pg_hba.conf", access_rules);
  const bool names_changed = WriteIfOther("pg_ident.conf", names);
  if (rules_changed || names_changed) Query("postgres", "postgres", "SELECT pg_reload_conf()");
  return settings_changed;
}

inline void Postgres::MakeRoles(const Profile& profile) const {
  const auto make = [&](const std::string& name) {
    if (Ask("postgres", "postgres", "SELECT 1 FROM pg_roles WHERE rolname = " + SqlText(name), "look for a role") == "1") return;
    Do("CREATE ROLE " + SqlName(name) + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", "make the role " + name);
  };
  for (const Module& module : profile.modules) make(module.owner);
  for (const Role& role : profile.roles) {
    make(role.name);
    if (role.rights == "read" || role.rights == "write") Do("GRANT pg_read_all_data TO " + SqlName(role.name), "grant");
    if (role.rights == "write") Do("GRANT pg_write_all_data TO " + SqlName(role.name), "grant");
    for (const Module& module : profile.modules) {
      if (role.rights == "own" && role.name != module.owner) {
        Do("GRANT " + SqlName(module.owner) + " TO " + SqlName(role.name), "grant");
      }
    }
    if (role.password_file.empty()) continue;
    std::string password = ReadFile(role.password_file, 1024);
    while (!password.empty() && password.back() == '\n') password.pop_back();
    RunOptions options = ClientOptions();
    options.input = "ALTER ROLE " + SqlName(role.name) + " PASSWORD " + SqlText(password) + ";\n";
    const RunResult set = Run(context_, Client("psql", "postgres", "postgres", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"}), options);
    // What it says might quote the statement.
    if (!set.ok()) throw Error("query_failed", "the password of role " + role.name + " could not be set");
  }
}

inline void Postgres::WaitForAnswer(std::chrono::seconds wait) const {
  const auto until = std::chrono::steady_clock::now() + wait;
  RunResult last;
  while (!(last = Query("postgres", "postgres", "SELECT 1")).ok()) {
    context_.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until || context_.TimeLeft().count() == 0) {
      throw Error("cluster_down", "the cluster in " + cluster_.folder + " does not answer: " + FirstComplaint(last.err),
                  "see " + cluster_.folder + "/log");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

inline void Postgres::BringUp(const Profile& profile) const {
  if (!IsMade()) Make();
  MakeOpenFolder(cluster_.socket);
  Own(cluster_.socket, 0755);
  const bool settings_changed = Configure(profile);
  const Services services(context_);
  const bool ran = services.State(cluster_.service) == ServiceState::kRunning;
  Install(context_, services, Spec());
  if (ran && settings_changed) EndSessions(), services.Restart(cluster_.service, std::chrono::seconds(60));
  if (services.State(cluster_.service) != ServiceState::kRunning) services.Start(cluster_.service);
  WaitForAnswer();
  MakeRoles(profile);
}

}  // namespace reprise::sdk::application
