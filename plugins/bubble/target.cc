#include "plugins/bubble/target.h"

#include "plugins/sdk/error.h"

namespace reprise::bubble {

std::string Target::Shown() const {
  const std::string host = address.ipv6 ? "[" + address.text + "]" : address.text;
  return kind + ":" + host + (port != 0 && !(kind == "dns" && port == 53) ? ":" + std::to_string(port) : "");
}

Target ParseTarget(const std::string& text, const std::string& parameter) {
  Target target;
  const size_t colon = text.find(':');
  target.kind = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (target.kind == "tcp" || target.kind == "udp") {
    ParseAddressAndPort(rest, parameter, target.address, target.port);
  } else if (target.kind == "icmp" || target.kind == "dns") {
    const bool brackets = rest.size() > 2 && rest.front() == '[' && rest.back() == ']';
    target.address = ParseAddress(brackets ? rest.substr(1, rest.size() - 2) : rest, parameter);
    target.port = target.kind == "dns" ? 53 : 0;
  } else {
    throw sdk::Error("bad_params", "parameter " + parameter + " has \"" + text.substr(0, 80) +
                                       "\", expected tcp:ADDRESS:PORT, udp:ADDRESS:PORT, icmp:ADDRESS or dns:ADDRESS");
  }
  return target;
}

}  // namespace reprise::bubble
