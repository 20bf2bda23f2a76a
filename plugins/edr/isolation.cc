#include "plugins/edr/isolation.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "plugins/sdk/error.h"

namespace reprise::edr {
namespace {

using sdk::Error;
using sdk::Json;

// Neighbour discovery: without it no IPv6 address is ever reached. ARP does not pass through an inet table.
constexpr const char* kNeighbours = "icmpv6 type { nd-neighbor-advert, nd-neighbor-solicit } accept";

bool AnyIpv6(const std::vector<Endpoint>& allowed) {
  return std::any_of(allowed.begin(), allowed.end(), [](const Endpoint& one) { return one.ipv6; });
}

// The lines of each chain: what nft reads is what it is expected to show.
Chains Rules(const std::vector<Endpoint>& allowed) {
  std::vector<std::string> input = {"iifname lo accept"};
  std::vector<std::string> output = {"oifname lo accept"};
  for (const Endpoint& one : allowed) {
    const std::string ip = one.ipv6 ? "ip6 " : "ip ";
    const std::string port = std::to_string(one.port);
    // Answers only: nobody opens a connection to this host, not even from there.
    input.push_back(ip + "saddr " + one.address + " tcp sport " + port + " tcp flags & (syn,ack) != syn accept");
    output.push_back(ip + "daddr " + one.address + " tcp dport " + port + " accept");
  }
  if (AnyIpv6(allowed)) {
    input.push_back(kNeighbours);
    output.push_back(kNeighbours);
  }
  input.push_back("counter drop");
  output.push_back("counter drop");
  return {{"input", input}, {"forward", {"counter drop"}}, {"output", output}};
}

std::string Joined(std::vector<std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string Side(const Json& side) {
  if (side.is_string()) return side.get<std::string>();
  if (side.is_number_integer()) return side.dump();
  if (side.is_array()) {
    std::vector<std::string> words;
    for (const Json& item : side) words.push_back(Side(item));
    return Joined(words);
  }
  if (side.is_object() && side.size() == 1) {
    const std::string& kind = side.begin().key();
    const Json& value = *side.begin();
    if (kind == "meta" && value.is_object()) return value.value("key", "?");
    if (kind == "payload" && value.is_object()) return value.value("protocol", "?") + " " + value.value("field", "?");
    if (kind == "&" && value.is_array() && value.size() == 2) return Side(value[0]) + " & (" + Side(value[1]) + ")";
    if (kind == "|") return Side(value);
    if (kind == "set" && value.is_array()) {
      std::vector<std::string> words;
      for (const Json& item : value) words.push_back(Side(item));
      std::sort(words.begin(), words.end());
      std::string text;
      for (const std::string& word : words) text += (text.empty() ? "{ " : ", ") + word;
      return text + " }";
    }
  }
  return side.dump();
}

std::string Statement(const Json& statement) {
  if (!statement.is_object() || statement.size() != 1) return statement.dump();
  const std::string& kind = statement.begin().key();
  const Json& value = *statement.begin();
  if (kind == "accept" || kind == "drop" || kind == "counter") return kind;
  if (kind != "match" || !value.is_object() || !value.contains("left") || !value.contains("right")) {
    return statement.dump();
  }
  const std::string op = value.value("op", "==");
  return Side(value["left"]) + (op == "==" ? " " : " " + op + " ") + Side(value["right"]);
}

Json Objects(const std::string& text) {
  const Json whole = Json::parse(text, nullptr, false);
  if (!whole.is_object() || !whole.value("nftables", Json()).is_array()) {
    throw Error("nft_unreadable", "nft -j list table shows no JSON that is understood: " + text.substr(0, 80));
  }
  return whole["nftables"];
}

}  // namespace

std::string Endpoint::Shown() const { return (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port); }

Endpoint ParseEndpoint(const std::string& text, const std::string& parameter) {
  const auto refuse = [&] {
    throw Error("bad_params", "parameter " + parameter + " has \"" + text.substr(0, 80) + "\"",
                "write an address and a port: 10.0.0.1:7443 or [fd00::1]:7443; names are not resolved");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse();
  Endpoint endpoint;
  std::string address = text.substr(0, colon);
  if (address.front() == '[' && address.back() == ']') {
    endpoint.ipv6 = true;
    address = address.substr(1, address.size() - 2);
  }
  const std::string port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0) refuse();
  unsigned char bytes[16];
  char shown[INET6_ADDRSTRLEN];
  const int family = endpoint.ipv6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, address.c_str(), bytes) != 1) refuse();
  if (inet_ntop(family, bytes, shown, sizeof shown) == nullptr) refuse();
  endpoint.address = shown;
  return endpoint;
}

std::string IsolationRules(const std::vector<Endpoint>& allowed) {
  const std::string table = std::string("table inet ") + kIsolationTable;
  // Named once so that it is there to be deleted: one transaction, whether it was there or not.
  std::string text = table + "\ndelete " + table + "\n" + table + " {\n";
  for (const auto& [chain, lines] : Rules(allowed)) {
    text += "  chain " + chain + " {\n    type filter hook " + chain + " priority -10; policy drop;\n";
    for (std::string line : lines) {
      const size_t flags = line.find("(syn,ack)");
      if (flags != std::string::npos) line.replace(flags, 9, "(syn | ack)");
      text += "    " + line + "\n";
    }
    text += "  }\n";
  }
  return text + "}\n";
}

Chains ExpectedChains(const std::vector<Endpoint>& allowed) {
  Chains chains = Rules(allowed);
  for (auto& [chain, lines] : chains) lines.insert(lines.begin(), "policy drop hook " + chain);
  return chains;
}

Chains ChainsOf(const std::string& text) {
  Chains chains;
  for (const Json& object : Objects(text)) {
    if (object.contains("chain")) {
      const Json& chain = object["chain"];
      chains[chain.value("name", "")].push_back("policy " + chain.value("policy", "") + " hook " +
                                                chain.value("hook", ""));
    } else if (object.contains("rule")) {
      const Json& rule = object["rule"];
      std::string line;
      for (const Json& statement : rule.value("expr", Json::array())) {
        line += (line.empty() ? "" : " ") + Statement(statement);
      }
      chains[rule.value("chain", "")].push_back(line);
    }
  }
  return chains;
}

int64_t DroppedIn(const std::string& text, const std::string& chain) {
  int64_t dropped = -1;
  for (const Json& object : Objects(text)) {
    if (!object.contains("rule") || object["rule"].value("chain", "") != chain) continue;
    for (const Json& statement : object["rule"].value("expr", Json::array())) {
      if (statement.is_object() && statement.contains("counter")) dropped = statement["counter"].value("packets", -1);
    }
  }
  return dropped;
}

std::string FirstDifference(const Chains& expected, const Chains& found) {
  for (const auto& [chain, lines] : expected) {
    const auto there = found.find(chain);
    if (there == found.end()) return "there is no chain " + chain;
    for (size_t i = 0; i < std::max(lines.size(), there->second.size()); ++i) {
      const std::string wanted = i < lines.size() ? lines[i] : "(nothing)";
      const std::string is = i < there->second.size() ? there->second[i] : "(nothing)";
      if (wanted != is) return "chain " + chain + " has \"" + is.substr(0, 120) + "\", expected \"" + wanted + "\"";
    }
  }
  for (const auto& [chain, lines] : found) {
    if (!expected.contains(chain)) return "there is a chain " + chain + " that is not ours";
  }
  return "";
}

}  // namespace reprise::edr
