// A real clamd over a scratch folder, ended by its pid, and a profile that speaks to it. Without the package: not there().
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "plugins/edr/eicar.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::edr {

namespace fs = std::filesystem;
using nlohmann::json;

inline std::string OurBase() { return Slurp(SourceFolder() / "plugins/edr/signatures/reprise.ndb"); }

// Put together from what no file of this tree has whole.
inline std::string Marker() { return std::string("REPRISE-SIGNATURE-") + "BASE-MARKER-0001"; }

class LoneClamd {
 public:
  static bool Installed() { return access("/usr/sbin/clamd", X_OK) == 0; }

  LoneClamd() {
    std::string made = fs::temp_directory_path() / "reprise-clamd-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder for clamd");
    folder_ = made;
    for (const char* name : {"base", "files"}) fs::create_directories(folder_ / name);
    Spit(folder_ / "base/reprise.ndb", OurBase());
  }
  ~LoneClamd() {
    Stop();
    fs::remove_all(folder_);
  }
  LoneClamd(const LoneClamd&) = delete;
  LoneClamd& operator=(const LoneClamd&) = delete;

  // True once it listens; false if it ends instead, as it does without signatures.
  bool Start(const std::string& more = "AlertExceedsMax yes\nAlertEncrypted yes\n") {
    Spit(Config(), "LocalSocket " + Socket().string() + "\nDatabaseDirectory " + (folder_ / "base").string() +
                                "\nTemporaryDirectory " + folder_.string() +
                                "\nForeground yes\nMaxThreads 2\nMaxFileSize 1M\nStreamMaxLength 1M\nUser root\n" + more);
    const std::string config = "--config-file=" + Config().string();
    char* argv[] = {const_cast<char*>("clamd"), const_cast<char*>(config.c_str()), nullptr};
    char* envp[] = {nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd : {1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    const bool started = posix_spawn(&pid_, "/usr/sbin/clamd", &actions, nullptr, argv, envp) == 0;
    posix_spawn_file_actions_destroy(&actions);
    if (!started) pid_ = -1;
    bool ended = !started;
    plugins::Eventually([&] { return (ended = ended || waitpid(pid_, nullptr, WNOHANG) == pid_) || fs::exists(Socket()); });
    if (ended) pid_ = -1;
    return !ended && fs::exists(Socket());
  }
  void Stop() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  int64_t KilobytesInMemory() const {
    const std::string status = Slurp("/proc/" + std::to_string(pid_) + "/status");
    return std::stoll(status.substr(status.find("VmRSS:") + 6));
  }

  fs::path Config() const { return folder_ / "clamd.conf"; }
  fs::path Socket() const { return folder_ / "clamd.ctl"; }
  fs::path Base() const { return folder_ / "base"; }
  fs::path Files() const { return folder_ / "files"; }
  std::string File(const std::string& name, const std::string& content) const {
    Spit(Files() / name, content);
    return Files() / name;
  }

  json Profile() const {
    return {{"format", "reprise-edr-profile/1"},
            {"name", "lone"},
            {"vendor", "a clamd of a test"},
            {"packages", json::array()},
            {"files", json::array()},
            {"signatures", {{"folder", Base()}, {"artifacts", {"*.ndb"}}}},
            {"service", {{"runit", {{"name", "lone"}, {"run", {"#!/bin/sh"}}}}}},
            {"sensor",
             {{"speaks", "clamd"},
              {"socket", Socket()},
              {"scan_requires", {{Config().string(), {"AlertExceedsMax yes"}}}},
              {"not_scanned_names", {"Heuristics.Limits.Exceeded.*", "Heuristics.Encrypted.*"}},
              {"file_mb_max", 100}}}};
  }

 private:
  fs::path folder_;
  pid_t pid_ = -1;
};

// The real plugin under the real runner on this machine, with that profile as an artifact. Only for actions that read.
class ReadBench {
 public:
  explicit ReadBench(const LoneClamd& clamd) : ReadBench(clamd.Profile()) {}
  explicit ReadBench(const json& profile) {
    std::string made = fs::temp_directory_path() / "reprise-edr-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder for the runner");
    folder_ = made;
    Spit(folder_ / "profile", profile.dump());
    bench_.emplace(folder_, plugins::PluginFile("edr"), plugins::PluginHost(),
                   plugins::Artifacts{{"lone.profile.json", folder_ / "profile"}});
  }
  ~ReadBench() {
    bench_.reset();
    fs::remove_all(folder_);
  }
  plugins::Answer Probe(const std::string& action, json params = json::object()) {
    params["profile"] = "lone";
    return bench_->Run(plugins::VERB_PROBE, action, params);
  }

 private:
  fs::path folder_;
  std::optional<plugins::PluginBench> bench_;
};

inline std::string StateOf(const plugins::Answer& answer) {
  return answer.done() ? answer.value.at("claims").at(0).at("state").get<std::string>() : answer.code();
}

}  // namespace reprise::edr
