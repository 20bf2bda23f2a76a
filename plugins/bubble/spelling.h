// How the parameters of a bubble are written, for the planner; address.h and target.h have the last word.
#pragma once

#include "plugins/sdk/spelling.h"

namespace reprise::bubble {

inline sdk::Param LikeMember(sdk::Param param) {
  return param.Like("^" + sdk::AddressPattern() + "(@" + sdk::MacPattern() + ")?$", "ADDRESS or ADDRESS@MAC, such as 192.0.2.7");
}
inline sdk::Param LikeSubnet(sdk::Param param) {
  return param.Like("^" + sdk::AddressPattern() + "/[0-9]{1,3}$", "a network, such as 192.0.2.0/24 or 2001:db8::/64");
}
inline sdk::Param LikeService(sdk::Param param) {
  return param.Like("^(tcp|udp):" + sdk::AddressAndPortPattern() + "$",
                    "tcp:ADDRESS:PORT or udp:ADDRESS:PORT, such as tcp:192.0.2.7:8410 or tcp:[2001:db8::7]:8410");
}
inline sdk::Param LikeTarget(sdk::Param param) {
  return param.Like("^((tcp|udp):" + sdk::AddressAndPortPattern() + "|(icmp|dns):(" + sdk::AddressPattern() + "|\\[" +
                        sdk::Ipv6Pattern() + "\\]))$",
                    "tcp:ADDRESS:PORT, udp:ADDRESS:PORT, icmp:ADDRESS or dns:ADDRESS, such as icmp:192.0.2.7");
}
inline sdk::Param LikeMac(sdk::Param param) {
  return param.Like("^" + sdk::MacPattern() + "$", "a hardware address, such as 02:00:00:00:00:01");
}

}  // namespace reprise::bubble
