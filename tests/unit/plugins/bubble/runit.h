// What runs the services of a throw-away gateway, and what a restart leaves of its network.
#pragma once

#include "tests/unit/plugins/bubble/site.h"

namespace reprise::bubble {

// A runsvdir over the gateway's /etc/service, ended with all that it supervises.
class Runit {
 public:
  Runit() {
    fs::create_directories("/etc/service");
    char* argv[] = {const_cast<char*>("runsvdir"), const_cast<char*>("/etc/service"), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    if (posix_spawnp(&pid_, "runsvdir", nullptr, nullptr, argv, envp) != 0) pid_ = -1;
  }
  ~Runit() {
    if (pid_ < 0) return;
    kill(pid_, SIGHUP);  // Ends the services too.
    waitpid(pid_, nullptr, 0);
    for (const auto& entry : fs::directory_iterator("/etc/service")) {
      EXPECT_TRUE(plugins::Eventually([&] {
        return Slurp(entry.path() / "supervise/stat").rfind("run", 0) != 0;
      })) << entry;
    }
  }
  Runit(const Runit&) = delete;
  Runit& operator=(const Runit&) = delete;
  bool there() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
};

inline json KeptBubble() {
  json params = LabBubble();
  params["forwarding"] = "on";
  params["persist"] = true;
  return params;
}

inline const char* const kBoot = "/var/lib/reprise-plugins/bubble/lab.boot";

// No service of the bubble, no rules, no bolts, no forwarding: as a machine begins.
inline bool Restarted() {
  bool ok = Command({"sv", "-w", "20", "stop", "/etc/service/reprise-bubble-lab"}) && Nft({"flush", "ruleset"});
  for (const char* family : {"-4", "-6"}) {
    for (const char* place : {"11", "12", "13", "14"}) {
      while (Command({"ip", family, "rule", "del", "pref", place})) {
      }
    }
  }
  return ok && Command({"sysctl", "-q", "-w", "net.ipv4.ip_forward=0"}) &&
         Command({"sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=0"});
}

// Both sides try, so that the gateway has something to refuse.
inline void ProveBothSides(Site& site) {
  const Answer inside = site.On("inside", "prove_inside", InsideProof());
  EXPECT_TRUE(inside.holds()) << PrintToString(inside);
  const Answer outside = site.On("outside", "prove_outside", OutsideProof());
  EXPECT_TRUE(outside.holds()) << PrintToString(outside);
}

}  // namespace reprise::bubble
