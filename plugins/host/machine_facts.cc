#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <fstream>
#include <set>
#include <sstream>

#include "plugins/host/facts.h"

namespace reprise::host {
namespace {

using sdk::Json;

constexpr size_t kListMax = 256;

// KEY=value, KEY="value".
std::string Unquoted(std::string value) {
  if (value.size() >= 2 && value.front() == value.back() && (value[0] == '"' || value[0] == '\'')) {
    value = value.substr(1, value.size() - 2);
  }
  return value.substr(0, 256);
}

void AddOs(Json& facts) {
  std::ifstream file("/etc/os-release");
  Json os = Json::object();
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = line.substr(0, equals);
    if (key == "ID") os["id"] = Unquoted(line.substr(equals + 1));
    if (key == "VERSION_ID") os["version"] = Unquoted(line.substr(equals + 1));
    if (key == "PRETTY_NAME") os["name"] = Unquoted(line.substr(equals + 1));
  }
  if (os.contains("id")) facts["os"] = os;
}

void AddKernel(Json& facts) {
  struct utsname about {};
  if (uname(&about) != 0) return;
  facts["kernel"] = {{"release", about.release}, {"machine", about.machine}};
  facts["hostname"] = about.nodename;
  double uptime = 0;
  if (std::ifstream file("/proc/uptime"); file >> uptime) facts["uptime_s"] = static_cast<int64_t>(uptime);
}

// "model name	: Xeon"
bool Field(const std::string& line, const char* key, std::string& value) {
  if (line.rfind(key, 0) != 0) return false;
  const size_t colon = line.find(':');
  const size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
  value = begin == std::string::npos ? "" : line.substr(begin, 256);
  return colon != std::string::npos;
}

void AddCpuAndMemory(Json& facts) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  int count = 0;
  std::string model, value;
  for (std::string line; std::getline(cpuinfo, line);) {
    if (Field(line, "processor", value)) ++count;
    if (Field(line, "model name", value)) model = value;
  }
  if (count > 0) facts["cpu"] = {{"count", count}, {"model", model}};
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    for (const auto& [key, name] :
         {std::pair("MemTotal", "total_bytes"), std::pair("MemAvailable", "available_bytes")}) {
      if (Field(line, key, value)) facts["memory"][name] = std::strtoull(value.c_str(), nullptr, 10) * 1024;
    }
  }
}

// A space in a mount's name stands as \040.
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::strtol(text.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void AddDisks(Json& facts) {
  static const std::set<std::string> kLocal = {"ext2", "ext3", "ext4",  "xfs",     "btrfs", "zfs",
                                               "vfat", "ntfs", "ntfs3", "fuseblk", "f2fs",  "overlay"};
  static const std::set<std::string> kRemote = {"nfs", "nfs4", "cifs", "smb3"};
  std::ifstream mounts("/proc/self/mounts");
  Json disks = Json::array();
  std::set<std::string> devices;
  std::string device, mount, type, rest;
  while (disks.size() < kListMax && mounts >> device >> mount >> type && std::getline(mounts, rest)) {
    mount = Unescaped(mount);
    // Not looked at: where the server is gone, whoever looks waits for ever.
    if (kRemote.contains(type)) disks.push_back({{"mount", mount}, {"type", type}, {"remote", true}});
    // A device is counted at its first place; what is bound elsewhere is the same space.
    if (!kLocal.contains(type) || !devices.insert(device + " " + type).second) continue;
    struct statvfs about {};
    if (statvfs(mount.c_str(), &about) != 0 || about.f_blocks == 0) continue;
    disks.push_back({{"mount", mount},
                     {"type", type},
                     {"size_bytes", about.f_blocks * about.f_frsize},
                     {"free_bytes", about.f_bavail * about.f_frsize}});
  }
  if (!disks.empty()) facts["disks"] = disks;
}

}  // namespace

void AddMachine(Json& facts) {
  AddOs(facts);
  AddKernel(facts);
  AddCpuAndMemory(facts);
  AddDisks(facts);
}

}  // namespace reprise::host
