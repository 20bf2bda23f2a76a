// How addresses and hashes are written in parameters, for the planner: see Param::Like. An action's own parser still has
// the last word; these refuse what no parser would take, before anybody signs it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "plugins/sdk/params.h"

namespace reprise::sdk {

inline constexpr const char* kOctetPattern = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

inline std::string Ipv4Pattern() { return std::string("(") + kOctetPattern + "\\.){3}" + kOctetPattern; }
inline std::string Ipv6Pattern() { return "[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f.]{0,15}){2,8}"; }
inline std::string AddressPattern() { return "(" + Ipv4Pattern() + "|" + Ipv6Pattern() + ")"; }
inline std::string PortPattern() {
  return "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
}
inline std::string AddressAndPortPattern() {
  return "(" + Ipv4Pattern() + "|\\[" + Ipv6Pattern() + "\\]):" + PortPattern();
}
inline std::string MacPattern() { return "([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"; }

// The same as whole parameters.
inline Param LikeAddress(Param param) {
  return param.Like("^" + AddressPattern() + "$", "an address, such as 192.0.2.7 or 2001:db8::7; names are not resolved");
}
inline Param LikeAddressAndPort(Param param) {
  return param.Like("^" + AddressAndPortPattern() + "$", "ADDRESS:PORT, such as 192.0.2.7:8410 or [2001:db8::7]:8410");
}
inline Param LikeSha256(Param param) {
  return param.Like("^[0-9a-f]{64}$", "64 lower-case hexadecimal digits");
}

// What a person wrote and records will show, such as the reference of a decision: one line, without control characters, and not
// only blanks.
inline bool IsLineOfText(std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return plain && text.find_first_not_of(' ') != text.npos;
}

}  // namespace reprise::sdk
