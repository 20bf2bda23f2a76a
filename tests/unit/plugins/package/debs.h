// Small real packages, made with dpkg-deb for a test.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>

#include "plugins/sdk/process.h"
#include "tests/unit/plugins/sdk/fake_call.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {

struct Deb {
  std::string name;
  std::string version = "1.0";
  std::string architecture = "all";
  std::string more;                            // Further lines of its control file: "Depends: b\n".
  std::map<std::string, std::string> files;    // Path and content. /opt/<name>/file if there are none.
  std::map<std::string, std::string> scripts;  // postinst, prerm, …: shell.
  std::string conffiles;
  bool sums = true;  // Brings an md5sums.
};

class Debs {
 public:
  Debs() {
    std::string made = fs::temp_directory_path() / "reprise-debs-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder for packages");
    folder_ = made;
  }
  ~Debs() { fs::remove_all(folder_); }

  // Adds it to the artifacts, under `artifact`.
  Debs& Add(const std::string& artifact, Deb deb) {
    const fs::path tree = folder_ / ("tree-" + artifact);
    fs::create_directories(tree / "DEBIAN");
    if (deb.files.empty()) deb.files["/opt/" + deb.name + "/file"] = deb.name + " " + deb.version + "\n";
    for (const auto& [path, content] : deb.files) {
      fs::create_directories((tree / path.substr(1)).parent_path());
      Spit(tree / path.substr(1), content);
      if (deb.sums) {
        sdk::RunOptions options;
        options.folder = tree;
        Spit(tree / "DEBIAN/md5sums", Slurp(tree / "DEBIAN/md5sums") + Run({"md5sum", path.substr(1)}, options));
      }
    }
    Spit(tree / "DEBIAN/control",
         "Package: " + deb.name + "\nVersion: " + deb.version + "\nArchitecture: " + deb.architecture +
             "\nMaintainer: Tests <tests@example.org>\n" + deb.more + "Description: made for a test\n");
    if (!deb.conffiles.empty()) Spit(tree / "DEBIAN/conffiles", deb.conffiles);
    for (const auto& [script, text] : deb.scripts) {
      Spit(tree / "DEBIAN" / script, "#!/bin/sh\nset -e\n" + text + "\n");
      chmod((tree / "DEBIAN" / script).c_str(), 0755);
    }
    const fs::path file = folder_ / (artifact + ".deb");
    Run({"dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, file}, {});
    artifacts_[artifact] = file;
    return *this;
  }
  Debs& AddFile(const std::string& artifact, const std::string& content) {
    Spit(folder_ / artifact, content);
    artifacts_[artifact] = folder_ / artifact;
    return *this;
  }
  const Artifacts& artifacts() const { return artifacts_; }

 private:
  std::string Run(const std::vector<std::string>& arguments, const sdk::RunOptions& options) {
    sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", folder_}});
    sdk::Context context(call.call(), call.request());
    return sdk::RunOrThrow(context, arguments, options).out;
  }
  fs::path folder_;
  Artifacts artifacts_;
};

// What dpkg-query says, on the host where it is called: "installed 1.0", or "" for a package that is not known.
inline std::string DpkgSays(const std::string& package) {
  sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", "/"}});
  sdk::Context context(call.call(), call.request());
  return sdk::Run(context, {"dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package}).out;
}

}  // namespace reprise::plugins
