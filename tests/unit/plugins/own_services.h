// What adapters of services need on a throw-away host: a loopback of its own, on which no port is taken, and a runsvdir over
// /etc/service that is ended with all that it supervises.
#pragma once

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {

// Empty: this process and all that it starts have a network with nothing but loopback. Else why not.
inline std::string OwnLoopback() {
  if (unshare(CLONE_NEWNET) != 0) return "needs root, for a network namespace";
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::string("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  if (fd >= 0) close(fd);
  return up ? "" : "loopback cannot be brought up";
}

class OwnRunit {
 public:
  OwnRunit() {
    fs::remove_all("/etc/service");
    fs::create_directories("/etc/service");
    Start();
  }
  ~OwnRunit() { End(); }
  OwnRunit(const OwnRunit&) = delete;
  OwnRunit& operator=(const OwnRunit&) = delete;

  bool there() const { return pid_ > 0; }
  // As when the host goes down: the services end, what they have on disk stays.
  void End() {
    if (pid_ < 0) return;
    kill(pid_, SIGHUP);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    for (const auto& service : fs::directory_iterator("/etc/service")) {
      EXPECT_TRUE(Eventually([&] { return StateOf(service.path()).rfind("run", 0) != 0; })) << service.path() << " goes on";
    }
  }
  void Start() {
    char* argv[] = {const_cast<char*>("runsvdir"), const_cast<char*>("/etc/service"), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    if (posix_spawnp(&pid_, "runsvdir", nullptr, nullptr, argv, envp) != 0) pid_ = -1;
  }
  static std::string StateOf(const fs::path& service) { return Slurp(service / "supervise/stat"); }
  static pid_t PidOf(const std::string& service) {
    const std::string text = Slurp(fs::path("/etc/service") / service / "supervise/pid");
    pid_t pid = -1;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return pid;
  }

 private:
  pid_t pid_ = -1;
};

// A throw-away host with both. Returns why there can be none.
inline std::string OnServiceHost(const std::string& plugin, const Artifacts& artifacts,
                                 const std::function<void(PluginBench&, OwnRunit&)>& body) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) return "needs runit";
  return OnThrowawayHost(plugin, artifacts, [&](PluginBench& bench) {
    ASSERT_EQ(OwnLoopback(), "");
    OwnRunit runit;
    ASSERT_TRUE(runit.there());
    body(bench, runit);
  });
}
#define ON_SERVICE_HOST(...) \
  if (const std::string why_not = ::reprise::plugins::OnServiceHost(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

// The state of a claim of an answer: "holds", "fails", "unknown", "" if it is not claimed.
inline std::string ClaimOf(const Answer& answer, const std::string& name) {
  if (!answer.done()) return "";
  for (const json& claim : answer.value.value("claims", json::array())) {
    if (claim.value("name", "") == name) return claim.value("state", "");
  }
  return "";
}

// All evidence as one text.
inline std::string EvidenceOf(const Answer& answer) {
  std::string text;
  if (!answer.done()) return text;
  for (const json& item : answer.value.value("evidence", json::array())) text += item.value("text", "") + "\n";
  return text;
}

}  // namespace reprise::plugins
