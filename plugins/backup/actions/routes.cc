#include "plugins/backup/actions/routes.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "plugins/backup/judge/words.h"
#include "plugins/sdk/params.h"

namespace reprise::backup {
namespace {

using sdk::Error;
using sdk::Json;

// False: it is none.
bool Read(const std::string& text, Prefix& prefix) {
  const size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  prefix.ipv6 = address.find(':') != std::string::npos;
  if (inet_pton(prefix.ipv6 ? AF_INET6 : AF_INET, address.c_str(), prefix.bytes.data()) != 1) return false;
  const int all = prefix.ipv6 ? 128 : 32;
  prefix.length = all;
  if (slash == std::string::npos) return true;
  const std::string length = text.substr(slash + 1);
  const auto read = std::from_chars(length.data(), length.data() + length.size(), prefix.length);
  return !length.empty() && read.ec == std::errc() && read.ptr == length.data() + length.size() && prefix.length >= 0 &&
         prefix.length <= all;
}

}  // namespace

std::string Prefix::Shown() const {
  char text[INET6_ADDRSTRLEN] = "?";
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  return length == (ipv6 ? 128 : 32) ? text : Words(std::string_view(text), "/", length);
}

bool Prefix::Covers(const Prefix& other) const {
  if (ipv6 != other.ipv6 || length > other.length) return false;
  for (int bit = 0; bit < length; ++bit) {
    const auto at = static_cast<size_t>(bit / 8);
    if (((bytes[at] ^ other.bytes[at]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

Prefix ParsePrefix(const std::string& text, const std::string& parameter) {
  Prefix prefix;
  if (!Read(text, prefix)) {
    throw Error("bad_params", "parameter " + parameter + " has \"" + text.substr(0, 80) + "\"",
                "write an address or a network: 10.0.0.5, 10.0.0.0/24, fd00::5; names are not resolved");
  }
  return prefix;
}

std::string Route::Shown() const { return Words(to.Shown(), via.empty() ? "" : " via " + via, " dev ", device); }

std::vector<Route> RoutesOf(const std::string& json, bool ipv6) {
  const Json list = Json::parse(json.empty() ? "[]" : json, nullptr, false);
  if (!list.is_array()) throw Error("ip_unreadable", "ip -j route shows no JSON that is understood: " + json.substr(0, 80));
  std::vector<Route> routes;
  for (const Json& item : list) {
    if (!item.is_object()) continue;
    const std::string type = item.value("type", "unicast");
    // Packets to the host itself, to nobody, or to groups on the link.
    if (type != "unicast" || item.value("dev", "") == "lo") continue;
    std::string to = item.value("dst", "");
    if (to == "default") to = ipv6 ? "::/0" : "0.0.0.0/0";
    Route route;
    if (!Read(to, route.to)) throw Error("ip_unreadable", "ip -j route shows a route to \"" + to.substr(0, 80) + "\"");
    if (ipv6 && route.to.bytes[0] == 0xff) continue;
    route.via = item.value("gateway", "");
    route.device = item.value("dev", "?");
    if (const auto hops = item.find("nexthops"); route.via.empty() && hops != item.end()) route.via = hops->dump();
    routes.push_back(std::move(route));
  }
  return routes;
}

std::vector<Route> RoutesBeyond(const std::vector<Route>& routes, const std::vector<Prefix>& allowed) {
  std::vector<Route> beyond;
  std::copy_if(routes.begin(), routes.end(), std::back_inserter(beyond), [&](const Route& route) {
    return std::none_of(allowed.begin(), allowed.end(), [&](const Prefix& one) { return one.Covers(route.to); });
  });
  return beyond;
}

}  // namespace reprise::backup
