// A small Debian host as a tree of files, with dpkg's records of one package, for hunts to be tried on without touching any other.
#pragma once

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "plugins/sanitize/check.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::sanitize {

namespace fs = std::filesystem;

inline constexpr const char* kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f intruder@nowhere";

inline std::string Md5(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

class SmallHost {
 public:
  explicit SmallHost(const fs::path& root) : root_(root) {
    Put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nwatch:x:1000:1000::/home/watch:/bin/bash\n");
    Put("/etc/shadow", "root:*:19000:0:99999:7:::\nwatch:!:19000:0:99999:7:::\n", 0600);
    Put("/etc/nsswitch.conf", "passwd: files\n");
    Put("/etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n");
    fs::create_directories(root_ / "root");
    fs::create_directories(root_ / "home/watch");
    Package("base", {{"/usr/bin/ls", "\x7f" "ELF ls"}, {"/usr/bin/su", "\x7f" "ELF su"}, {"/usr/share/doc/base/copyright", "GPL\n"}},
            {{"/etc/base.conf", "a=1\n"}, {"/etc/cron.d/base", "0 3 * * * root /usr/bin/ls\n"}});
    chmod((root_ / "usr/bin/su").c_str(), 04755);
    chmod((root_ / "usr/bin/ls").c_str(), 0755);
    // /bin is /usr/bin, as on every Debian 12.
    fs::create_directory_symlink("usr/bin", root_ / "bin");
  }

  const fs::path& root() const { return root_; }
  fs::path At(const std::string& path) const { return root_ / path.substr(1); }

  void Put(const std::string& path, const std::string& content, mode_t mode = 0644) const {
    fs::create_directories(At(path).parent_path());
    std::ofstream(At(path), std::ios::binary | std::ios::trunc) << content;
    chmod(At(path).c_str(), mode);
  }

  // Its files, and dpkg's records of them.
  void Package(const std::string& name, const std::map<std::string, std::string>& files,
               const std::map<std::string, std::string>& conffiles) const {
    std::string list = "/.\n/usr\n/usr/bin\n", sums, status;
    for (const auto& [path, content] : files) {
      Put(path, content);
      list += path + "\n";
      sums += Md5(content) + "  " + path.substr(1) + "\n";
    }
    status = "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\n";
    if (!conffiles.empty()) status += "Conffiles:\n";
    for (const auto& [path, content] : conffiles) {
      Put(path, content);
      list += path + "\n";
      status += " " + path + " " + Md5(content) + "\n";
    }
    Put("/var/lib/dpkg/info/" + name + ".list", list);
    Put("/var/lib/dpkg/info/" + name + ".md5sums", sums);
    fs::create_directories(At("/var/lib/dpkg"));
    std::ofstream(At("/var/lib/dpkg/status"), std::ios::app) << status << "\n";
  }

 private:
  fs::path root_;
};

class SmallHostTest : public ::testing::Test {
 protected:
  static fs::path MakeFolder() {
    std::string name = fs::temp_directory_path() / "sanitize-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
    return name;
  }
  ~SmallHostTest() override { fs::remove_all(folder_); }

  void Artifact(const std::string& name, const std::string& content) {
    fs::create_directories(folder_ / "artifacts");
    std::ofstream(folder_ / "artifacts" / name, std::ios::binary) << content;
    artifacts_[name] = (folder_ / "artifacts" / name).string();
  }

  sdk::ProbeResult Look(Json params = Json::object()) {
    if (!params.contains("root")) params["root"] = host.root().string();
    if (!params.contains("yara_paths")) params["yara_paths"] = {"/tmp"};
    fs::create_directories(folder_ / "work");
    Check check;
    sdk::FakeCall call({{"verb", "probe"},
                        {"params", check.Describe().params.Complete(params)},
                        {"artifacts", artifacts_},
                        {"work_dir", (folder_ / "work").string()}});
    sdk::Context context(call.call(), call.request());
    return check.Probe(context);
  }
  // "kind path sure" of every finding.
  static std::vector<std::string> Shown(const sdk::ProbeResult& result) {
    std::vector<std::string> shown;
    for (const Json& finding : result.observed.at("findings")) {
      shown.push_back(finding.at("kind").get<std::string>() + " " + finding.at("path").get<std::string>() + " " +
                      finding.at("sure").get<std::string>());
    }
    return shown;
  }
  static std::string Verdict(const sdk::ProbeResult& result) { return result.observed.at("verdict"); }

  const fs::path folder_ = MakeFolder();
  std::map<std::string, std::string> artifacts_;
  SmallHost host{folder_ / "host"};
};

}  // namespace reprise::sanitize
