// A throw-away host on which an application can be brought back: with a network of its own, runsvdir, the stand-in
// service, and real dumps that tests/lab/application_data.py has made. Whatever runs there ends with it.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "plugins/sdk/manifest.h"
#include "plugins/sdk/process.h"
#include "tests/unit/plugins/sdk/fake_call.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {

using ::testing::PrintToString;

inline sdk::RunResult RunHere(const std::vector<std::string>& arguments, std::chrono::seconds timeout = std::chrono::seconds(300)) {
  sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", "/"}});
  const sdk::Context context(call.call(), call.request());
  return sdk::Run(context, arguments, {.timeout = timeout});
}

// SHA-256 of the manifest of a file or folder.
inline std::string ManifestSha256(const fs::path& point) {
  sdk::FakeCall call(json{{"verb", "probe"}, {"work_dir", "/"}});
  const sdk::Context context(call.call(), call.request());
  return sdk::ManifestOf(context, point).Sha256();
}

// The dumps of an application, made once for these arguments and these scripts, kept in the build folder.
inline fs::path MakeDumps(const std::string& application, std::vector<std::string> arguments) {
  const fs::path lab = SourceFolder() / "tests/lab";
  std::string recipe = Slurp(lab / "application_data.py");
  for (const char* script : {"agiletime", "lis", "maincare_gam", "maincare_gef", "maincare_dpi"}) {
    recipe += Slurp(lab / "bases" / (std::string(script) + ".sql"));
  }
  for (const std::string& argument : arguments) recipe += argument + "\n";
  const fs::path folder = BuildFolder() / "application-data" / (application + "-" + sdk::Sha256OfText(recipe).substr(0, 16));
  if (fs::exists(folder)) return folder;
  const fs::path making = folder.string() + "." + std::to_string(getpid());
  std::vector<std::string> command = {"python3", lab / "application_data.py", application, "--out", making};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const sdk::RunResult made = RunHere(command);
  if (!made.ok()) throw std::runtime_error("application_data.py: " + made.Why());
  std::error_code other_was_first;
  fs::rename(making, folder, other_was_first);
  if (other_was_first) fs::remove_all(making);
  return folder;
}
// 40 people, 31 days: 1,240 planning rows, in every format.
inline fs::path SmallAgileTime() {
  return MakeDumps("agiletime", {"--staff", "40", "--days", "31", "--format", "custom", "--format", "plain", "--format", "tar"});
}

// Of a process, ended at its life's end, by its id.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments, int end_with = SIGKILL) : end_with_(end_with) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd : {1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ < 0) return;
    kill(pid_, end_with_);
    waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int end_with_;
};

inline bool IsAlive(pid_t pid) { return pid > 0 && kill(pid, 0) == 0; }

// To be made first in the body of a throw-away host's test.
class ApplicationHost {
 public:
  // `folder`: the application's, below which its cluster is.
  explicit ApplicationHost(std::string folder) : folder_(std::move(folder)) {
    if (unshare(CLONE_NEWNET) != 0) throw std::runtime_error("no network namespace");
    RunHere({"ip", "link", "set", "lo", "up"});
    for (const char* gone : {"/etc/service", "/var/lib/reprise-plugins"}) fs::remove_all(gone);
    fs::remove_all(folder_);
    for (const char* made : {"/etc/service", "/opt/reprise-standin"}) fs::create_directories(made);
    fs::copy_file(SourceFolder() / "tests/lab/standin_service.py", "/opt/reprise-standin/standin_service.py",
                  fs::copy_options::overwrite_existing);
    runsvdir_.emplace(std::vector<std::string>{"runsvdir", "/etc/service"}, SIGHUP);
  }
  ~ApplicationHost() {
    const pid_t postmaster = Postmaster();
    for (const auto& entry : fs::directory_iterator("/etc/service")) RunHere({"sv", "force-shutdown", entry.path()});
    runsvdir_.reset();
    if (IsAlive(postmaster)) kill(postmaster, SIGQUIT);
    EXPECT_TRUE(Eventually([&] { return !IsAlive(postmaster); })) << "PostgreSQL goes on";
  }
  ApplicationHost(const ApplicationHost&) = delete;
  ApplicationHost& operator=(const ApplicationHost&) = delete;

  // Of the cluster; 0: none.
  pid_t Postmaster() const {
    const std::string text = Slurp(folder_ + "/postgres/postmaster.pid");
    return text.empty() ? 0 : std::stoi(text);
  }
  // As the superuser, over the socket.
  std::string Sql(const std::string& base, const std::string& sql, int port) const {
    const sdk::RunResult result = RunHere({"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", "psql", "-X", "-A", "-t",
                                           "-q", "-h", folder_ + "/socket", "-p", std::to_string(port), "-d", base, "-c", sql});
    std::string out = result.ok() ? result.out : "error: " + result.err;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }

 private:
  std::string folder_;
  std::optional<Process> runsvdir_;
};

// The state of a claim in an answer; its absence: "-".
inline std::string ClaimIn(const Answer& answer, const std::string& name) {
  if (!answer.done()) return answer.code();
  for (const json& claim : answer.value.value("claims", json::array())) {
    if (claim.at("name") == name) return claim.at("state");
  }
  return "-";
}

// The built-in profile of a plugin, to be changed and given as `profile_file`.
inline json BuiltinProfile(const std::string& plugin) {
  return json::parse(Slurp(SourceFolder() / "plugins" / plugin / "profiles" / (plugin + ".json")));
}
inline std::string ProfileFile(const json& profile) {
  const std::string path = "/etc/reprise-test-profile.json";
  Spit(path, profile.dump());
  fs::permissions(path, fs::perms(0644));
  return path;
}

}  // namespace reprise::plugins
