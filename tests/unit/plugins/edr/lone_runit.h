// A runsvdir over /etc/service of the throw-away host, ended with all that it supervises.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "plugins/sdk/service.h"
#include "tests/unit/plugins/edr/lone_clamd.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::edr {

class LoneRunit {
 public:
  LoneRunit() {
    fs::remove_all("/etc/service");
    fs::create_directories("/etc/service");
    char* argv[] = {const_cast<char*>("runsvdir"), const_cast<char*>("/etc/service"), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    if (posix_spawnp(&pid_, "runsvdir", nullptr, nullptr, argv, envp) != 0) pid_ = -1;
  }
  ~LoneRunit() {
    if (pid_ < 0) return;
    kill(pid_, SIGHUP);  // Ends the services too.
    waitpid(pid_, nullptr, 0);
    EXPECT_TRUE(plugins::Eventually([] {
      return Slurp("/etc/service/clamd/supervise/stat").rfind("run", 0) != 0;
    })) << "clamd goes on";
  }
  LoneRunit(const LoneRunit&) = delete;
  LoneRunit& operator=(const LoneRunit&) = delete;
  bool there() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
};

}  // namespace reprise::edr
