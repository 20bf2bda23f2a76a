// Debian's own packages of ClamAV, fetched once with apt into the build folder, and our base beside them.
#pragma once

#include <algorithm>

#include "plugins/sdk/process.h"
#include "tests/unit/plugins/edr/lone_clamd.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::edr {

inline sdk::RunResult RunHere(const std::vector<std::string>& arguments, const fs::path& folder = "/") {
  sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", folder}});
  const sdk::Context context(call.call(), call.request());
  return sdk::Run(context, arguments, {.timeout = std::chrono::seconds(120),
                                       .environment = {{"DEBIAN_FRONTEND", "noninteractive"}}});
}

class ClamAvDebs {
 public:
  ClamAvDebs() {
    if (geteuid() != 0) {
      why_not_ = "needs root, for a throw-away host";
      return;
    }
    const fs::path folder = BuildFolder() / "debs-clamav";
    fs::create_directories(folder);
    for (const char* package : {"libmspack0", "libclamav12", "clamav-base", "clamav-freshclam", "clamav-daemon", "clamdscan"}) {
      fs::path file = Find(folder, package);
      if (file.empty()) {
        const sdk::RunResult fetched = RunHere({"apt-get", "download", package}, folder);
        file = Find(folder, package);
        if (file.empty()) {
          why_not_ = std::string("needs the package ") + package + ", which apt-get does not bring: " + fetched.Why();
          return;
        }
      }
      artifacts_[file.filename()] = file;
    }
    artifacts_["reprise.ndb"] = SourceFolder() / "plugins/edr/signatures/reprise.ndb";
  }
  const std::string& why_not() const { return why_not_; }
  const plugins::Artifacts& artifacts() const { return artifacts_; }

 private:
  static fs::path Find(const fs::path& folder, const std::string& package) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (name.rfind(package + "_", 0) == 0 && name.size() > 4 && name.substr(name.size() - 4) == ".deb") return entry.path();
    }
    return {};
  }
  std::string why_not_;
  plugins::Artifacts artifacts_;
};

// On the throw-away host, which begins as a copy of this machine.
inline void TakeClamAvAway() {
  RunHere({"dpkg", "--purge", "--force-depends", "clamdscan", "clamav-daemon", "clamav", "clamav-freshclam", "clamav-base",
           "libclamav12", "libmspack0"});
  for (const char* folder : {"/etc/clamav", "/var/lib/clamav", "/var/log/clamav", "/run/clamav", "/etc/service"}) {
    fs::remove_all(folder);
  }
}

}  // namespace reprise::edr
