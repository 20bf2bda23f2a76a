// What a bubble is written in: addresses, networks, hardware addresses and services, each checked, each in one
// spelling. Names are never resolved. All parsers throw Error "bad_params" that names the parameter. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace reprise::bubble {

// The address of one host: never a group, a loopback, a link-local or the unspecified one.
struct Address {
  std::string text;  // As inet_ntop writes it.
  bool ipv6 = false;

  bool operator==(const Address&) const = default;
  auto operator<=>(const Address&) const = default;
};

Address ParseAddress(const std::string& text, const std::string& parameter);

struct Subnet {
  std::string text;  // "10.20.0.0/24", without host bits.
  bool ipv6 = false;
  std::array<uint8_t, 16> bytes{};
  int length = 0;

  bool Contains(const Address& address) const;
  // Its network or its broadcast address: no host's. IPv6 has none; nor has a network of one or two hosts.
  bool NamesNoHost(const Address& address) const;
  bool operator==(const Subnet&) const = default;
};

Subnet ParseSubnet(const std::string& text, const std::string& parameter);

// "02:00:00:00:00:01", of one interface; empty stays empty: not bound to one.
std::string ParseMac(const std::string& text, const std::string& parameter);

// A host, perhaps bound to its hardware address: "10.20.0.2" or "10.20.0.2@02:00:00:00:00:01".
struct Member {
  Address address;
  std::string mac;

  std::string Shown() const { return mac.empty() ? address.text : address.text + "@" + mac; }
  bool operator==(const Member&) const = default;
};

Member ParseMember(const std::string& text, const std::string& parameter);

// Where something listens: "tcp:10.1.0.2:7443" or "tcp:[fd00::1]:7443".
struct Service {
  std::string protocol;  // "tcp" or "udp"
  Address address;
  uint16_t port = 0;

  std::string Shown() const;
  bool operator==(const Service&) const = default;
};

Service ParseService(const std::string& text, const std::string& parameter);

// The address and port of "10.1.0.2:7443" or "[fd00::1]:7443", for those who know what comes before it.
void ParseAddressAndPort(const std::string& text, const std::string& parameter, Address& address, uint16_t& port);

}  // namespace reprise::bubble
