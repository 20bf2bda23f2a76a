#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <tuple>

#include "plugins/host/facts.h"

namespace reprise::host {
namespace {

using sdk::Json;

constexpr size_t kNetworkListMax = 1024;

std::string TextOf(int family, const void* address) {
  char text[INET6_ADDRSTRLEN] = {};
  return inet_ntop(family, address, text, sizeof text) == nullptr ? "" : text;
}

void AddAddresses(Json& facts) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, freeifaddrs);
  Json addresses = Json::array();
  for (const ifaddrs* at = first; at != nullptr && addresses.size() < kNetworkListMax; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const void* address = family == AF_INET
                              ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr)
                              : &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
    addresses.push_back({{"interface", at->ifa_name}, {"address", TextOf(family, address)}});
  }
  facts["addresses"] = addresses;
}

// As the kernel prints it: words of 32 bits, each in the byte order of the machine.
std::string AddressOf(const std::string& hex) {
  unsigned char bytes[16] = {};
  const size_t words = hex.size() / 8;
  if (hex.size() % 8 != 0 || (words != 1 && words != 4)) return "";
  for (size_t i = 0; i < words; ++i) {
    const auto word = static_cast<uint32_t>(std::strtoul(hex.substr(i * 8, 8).c_str(), nullptr, 16));
    std::memcpy(bytes + i * 4, &word, sizeof word);
  }
  return TextOf(words == 1 ? AF_INET : AF_INET6, bytes);
}

void AddListening(Json& facts) {
  std::set<std::tuple<std::string, long, std::string>> all;
  bool readable = false;
  for (const std::string protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream table("/proc/self/net/" + protocol);
    readable = readable || table.is_open();
    std::string line, slot, local, remote, state;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream(line) >> slot >> local >> remote >> state;
      const bool tcp = protocol[0] == 't';
      const size_t colon = local.find(':');
      if (state != (tcp ? "0A" : "07") || colon == std::string::npos) continue;  // LISTEN; unconnected
      all.emplace(tcp ? "tcp" : "udp", std::strtol(local.c_str() + colon + 1, nullptr, 16),
                  AddressOf(local.substr(0, colon)));
    }
  }
  if (!readable) return;
  Json list = Json::array();
  for (const auto& [protocol, port, address] : all) {
    if (list.size() < kNetworkListMax) list.push_back({{"protocol", protocol}, {"address", address}, {"port", port}});
  }
  facts["listening"] = list;
}

}  // namespace

void AddNetwork(Json& facts) {
  AddAddresses(facts);
  AddListening(facts);
}

}  // namespace reprise::host
