#include "agents/daemon/facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kListMax = 256;
constexpr size_t kTextMax = 256;

std::string Cut(const std::string& text) { return BoundedText(text, kTextMax); }

// "KEY=value" or "KEY="value"", as in os-release.
std::string ValueOf(const std::string& line, std::string_view key) {
  if (line.rfind(std::string(key) + "=", 0) != 0) return "";
  std::string value = line.substr(key.size() + 1);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return Cut(value);
}

// "Key : value", as in /proc/cpuinfo and dpkg's status.
bool Field(const std::string& line, std::string_view key, std::string* value) {
  if (line.rfind(key, 0) != 0) return false;
  size_t at = key.size();
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  if (at >= line.size() || line[at] != ':') return false;
  at = line.find_first_not_of(" \t", at + 1);
  *value = at == std::string::npos ? "" : line.substr(at);
  return true;
}

void AddOs(const fs::path& root, json& facts) {
  std::ifstream file(root / "etc/os-release");
  json os = json::object();
  for (std::string line; std::getline(file, line);) {
    if (auto id = ValueOf(line, "ID"); !id.empty()) os["id"] = id;
    if (auto version = ValueOf(line, "VERSION_ID"); !version.empty()) os["version"] = version;
    if (auto name = ValueOf(line, "PRETTY_NAME"); !name.empty()) os["name"] = name;
  }
  if (!os.empty()) facts["os"] = os;
}

void AddKernel(json& facts) {
  struct utsname name {};
  if (uname(&name) != 0) return;
  facts["kernel"] = {{"release", name.release}, {"machine", name.machine}};
  facts["hostname"] = name.nodename;
}

void AddProc(const fs::path& root, json& facts) {
  std::ifstream cpuinfo(root / "proc/cpuinfo");
  int count = 0;
  std::string model, value;
  for (std::string line; std::getline(cpuinfo, line);) {
    if (Field(line, "processor", &value)) ++count;
    if (Field(line, "model name", &value)) model = Cut(value);
  }
  if (count > 0) facts["cpu"] = {{"count", count}, {"model", model}};
  std::ifstream meminfo(root / "proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    if (Field(line, "MemTotal", &value)) facts["memory_bytes"] = std::strtoull(value.c_str(), nullptr, 10) * 1024;
  }
  double uptime = 0;
  if (std::ifstream file(root / "proc/uptime"); file >> uptime) facts["uptime_s"] = static_cast<int64_t>(uptime);
}

void AddDisks(const fs::path& root, json& facts) {
  static const std::set<std::string> kTypes = {"ext2",  "ext3",    "ext4", "xfs",     "btrfs", "zfs", "vfat", "ntfs",
                                               "ntfs3", "fuseblk", "f2fs", "overlay", "tmpfs", "nfs", "nfs4", "cifs"};
  std::ifstream mounts(root / "proc/self/mounts");
  json disks = json::array();
  std::set<std::string> seen;
  std::string device, mount, type, rest;
  while (disks.size() < kListMax && mounts >> device >> mount >> type && std::getline(mounts, rest)) {
    struct statvfs about {};
    if (!kTypes.contains(type) || !seen.insert(mount).second) continue;
    // A network file system whose server is gone blocks whoever looks.
    if (type.rfind("nfs", 0) == 0 || type == "cifs") {
      disks.push_back({{"mount", Cut(mount)}, {"type", type}});
      continue;
    }
    if (statvfs((root / mount.substr(1)).c_str(), &about) != 0 || about.f_blocks == 0) continue;
    disks.push_back({{"mount", Cut(mount)},
                     {"type", type},
                     {"size_bytes", about.f_blocks * about.f_frsize},
                     {"free_bytes", about.f_bavail * about.f_frsize}});
  }
  if (!disks.empty()) facts["disks"] = disks;
}

void AddAddresses(json& facts) {
  struct ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return;
  json addresses = json::array();
  for (const struct ifaddrs* at = first; at != nullptr && addresses.size() < kListMax; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const int family = at->ifa_addr->sa_family;
    const void* address = nullptr;
    if (family == AF_INET) {
      address = &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
    } else if (family == AF_INET6) {
      address = &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
    } else {
      continue;
    }
    if (inet_ntop(family, address, text, sizeof text) == nullptr) continue;
    addresses.push_back({{"interface", at->ifa_name}, {"address", text}});
  }
  freeifaddrs(first);
  facts["addresses"] = addresses;
}

// The whole list as one hash: two hosts, or two days, compare at a glance.
void AddPackages(const fs::path& root, json& facts) {
  std::ifstream status(root / "var/lib/dpkg/status");
  if (!status) return;
  std::set<std::string> installed;
  std::string name, version, value;
  bool is_installed = false;
  const auto flush = [&] {
    if (is_installed && !name.empty()) installed.insert(name + " " + version);
    name.clear();
    version.clear();
    is_installed = false;
  };
  for (std::string line; std::getline(status, line);) {
    if (line.empty()) {
      flush();
    } else if (Field(line, "Package", &value)) {
      name = value;
    } else if (Field(line, "Version", &value)) {
      version = value;
    } else if (Field(line, "Status", &value)) {
      is_installed = value == "install ok installed";
    }
  }
  flush();
  crypto::Sha256Hasher hasher;
  for (const std::string& package : installed) hasher.Update(package + "\n");
  facts["packages"] = {{"manager", "dpkg"}, {"count", installed.size()}, {"sha256", ToHex(hasher.Finish())}};
}

void AddServices(const fs::path& root, json& facts) {
  std::set<std::pair<std::string, std::string>> services;
  std::error_code error;
  // systemd gives each running service a cgroup.
  for (const char* slice : {"sys/fs/cgroup/system.slice", "sys/fs/cgroup/systemd/system.slice"}) {
    for (fs::directory_iterator entry(root / slice, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".service") services.emplace(entry->path().stem(), "systemd");
    }
    error.clear();
  }
  for (fs::directory_iterator entry(root / "etc/service", error), end; !error && entry != end; entry.increment(error)) {
    std::ifstream state(entry->path() / "supervise/stat");
    std::string word;
    if (state >> word && word == "run") services.emplace(entry->path().filename(), "runit");
  }
  json list = json::array();
  for (const auto& [name, manager] : services) {
    if (list.size() < kListMax) list.push_back({{"name", Cut(name)}, {"manager", manager}});
  }
  if (!list.empty()) facts["services"] = list;
}

// An address as the kernel prints it: words of 32 bits in the byte order of the machine.
std::string AddressOf(const std::string& hex) {
  unsigned char bytes[16] = {};
  const size_t words = hex.size() / 8;
  if (hex.size() % 8 != 0 || (words != 1 && words != 4)) return "";
  for (size_t i = 0; i < words; ++i) {
    const auto word = static_cast<uint32_t>(std::strtoul(hex.substr(i * 8, 8).c_str(), nullptr, 16));
    std::copy_n(reinterpret_cast<const unsigned char*>(&word), 4, bytes + i * 4);
  }
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(words == 1 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return text;
}

void AddListening(const fs::path& root, json& facts) {
  std::set<std::tuple<std::string, int, std::string>> all;
  for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream table(root / "proc/self/net" / protocol);
    std::string line, slot, local, remote, state;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream words(line);
      words >> slot >> local >> remote >> state;
      const bool tcp = protocol[0] == 't';
      if (state != (tcp ? "0A" : "07")) continue;
      const size_t colon = local.find(':');
      if (colon == std::string::npos) continue;
      all.emplace(tcp ? "tcp" : "udp", static_cast<int>(std::strtol(local.c_str() + colon + 1, nullptr, 16)),
                  AddressOf(local.substr(0, colon)));
    }
  }
  json list = json::array();
  for (const auto& [protocol, port, address] : all) {
    if (list.size() < kListMax) list.push_back({{"protocol", protocol}, {"address", address}, {"port", port}});
  }
  facts["listening"] = list;
}

}  // namespace

std::string GatherFacts(const fs::path& root) {
  json facts = json::object();
  AddOs(root, facts);
  AddKernel(facts);
  AddProc(root, facts);
  AddDisks(root, facts);
  AddAddresses(facts);
  AddPackages(root, facts);
  AddServices(root, facts);
  AddListening(root, facts);
  return facts.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace reprise::daemon
