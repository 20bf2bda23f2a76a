#include <filesystem>
#include <fstream>
#include <set>

#include "plugins/host/facts.h"
#include "plugins/sdk/sha256.h"

namespace reprise::host {
namespace {

namespace fs = std::filesystem;
using sdk::Json;

constexpr size_t kServicesMax = 1024;

std::string After(const std::string& line, std::string_view key) {
  return line.rfind(key, 0) == 0 ? line.substr(key.size()) : "";
}

// The same hash as the agent's own facts have: two hosts, or two days, compare at a glance.
void AddPackages(Json& facts) {
  std::ifstream status("/var/lib/dpkg/status");
  if (!status) return;
  std::set<std::string> installed;
  std::string name, version;
  bool is_installed = false;
  const auto flush = [&] {
    if (is_installed && !name.empty()) installed.insert(name + " " + version);
    name.clear(), version.clear();
    is_installed = false;
  };
  for (std::string line; std::getline(status, line);) {
    if (line.empty()) flush();
    if (auto value = After(line, "Package: "); !value.empty()) name = value;
    if (auto value = After(line, "Version: "); !value.empty()) version = value;
    if (auto value = After(line, "Status: "); !value.empty()) is_installed = value == "install ok installed";
  }
  flush();
  sdk::Sha256 hash;
  for (const std::string& package : installed) hash.Update(package + "\n");
  facts["packages"] = {{"manager", "dpkg"}, {"count", installed.size()}, {"sha256", hash.Hex()}};
}

void AddServices(Json& facts) {
  std::set<std::pair<std::string, std::string>> running;
  std::error_code error;
  // systemd gives each running service a cgroup.
  for (const char* slice : {"/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"}) {
    for (fs::directory_iterator entry(slice, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".service") running.emplace(entry->path().stem(), "systemd");
    }
  }
  for (fs::directory_iterator entry("/etc/service", error), end; !error && entry != end; entry.increment(error)) {
    std::ifstream state(entry->path() / "supervise/stat");
    std::string word;
    if (state >> word && word.rfind("run", 0) == 0) running.emplace(entry->path().filename(), "runit");
  }
  Json list = Json::array();
  for (const auto& [name, manager] : running) {
    if (list.size() < kServicesMax) list.push_back({{"name", name}, {"manager", manager}});
  }
  facts["services"] = list;
}

}  // namespace

void AddSoftware(Json& facts) {
  AddPackages(facts);
  AddServices(facts);
  std::error_code ignored;
  facts["restart_wanted"] = fs::exists("/run/reboot-required", ignored);
}

}  // namespace reprise::host
