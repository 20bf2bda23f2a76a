#include "plugins/bubble/own.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <cerrno>
#include <memory>

#include "plugins/sdk/file.h"

namespace reprise::bubble {

std::string InterfaceWith(const Address& address) {
  ifaddrs* listed = nullptr;
  if (getifaddrs(&listed) != 0) sdk::ThrowErrno(errno, "list the addresses of this host");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(listed, &freeifaddrs);
  const int family = address.ipv6 ? AF_INET6 : AF_INET;
  for (const ifaddrs* one = all.get(); one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != family) continue;
    const void* bytes = address.ipv6
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr)
                            : &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    char text[INET6_ADDRSTRLEN] = "";
    if (inet_ntop(family, bytes, text, sizeof text) != nullptr && address.text == text) return one->ifa_name;
  }
  return "";
}

bool HasInterface(const std::string& name) {
  char own[IF_NAMESIZE] = "";
  const unsigned index = if_nametoindex(name.c_str());
  return index != 0 && if_indextoname(index, own) != nullptr && name == own;
}

}  // namespace reprise::bubble
