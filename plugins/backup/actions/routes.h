// Where a host could send packets: its routes as `ip -j route` tells them, held against what it may reach.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace reprise::backup {

// "10.0.0.0/24", "10.0.0.5", "fd00::/64"
struct Prefix {
  bool ipv6 = false;
  std::array<uint8_t, 16> bytes{};
  int length = 0;

  std::string Shown() const;
  bool Covers(const Prefix& other) const;
};

// Throws Error "bad_params" naming `parameter`.
Prefix ParsePrefix(const std::string& text, const std::string& parameter);

struct Route {
  Prefix to;
  std::string via;  // Empty: on the link itself.
  std::string device;

  std::string Shown() const;
};

// Ways out of this host: not to itself, not refused ones, no multicast. `json`: of `ip -j route show table all`.
// Throws Error "ip_unreadable".
std::vector<Route> RoutesOf(const std::string& json, bool ipv6);

// Those that lead anywhere else than to `allowed`. A link-local route (fe80::/10, 169.254.0.0/16) leads to the neighbours on
// a link: it is one like any other.
std::vector<Route> RoutesBeyond(const std::vector<Route>& routes, const std::vector<Prefix>& allowed);

}  // namespace reprise::backup
