#include "plugins/bubble/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "plugins/sdk/error.h"

namespace reprise::bubble {
namespace {

[[noreturn]] void Refuse(const std::string& text, const std::string& parameter, const std::string& expected) {
  throw sdk::Error("bad_params", "parameter " + parameter + " has \"" + text.substr(0, 80) + "\", expected " + expected,
                   "names are not resolved: write addresses");
}

bool ReadBytes(const std::string& text, bool ipv6, uint8_t* bytes) {
  return text.find('\0') == std::string::npos && inet_pton(ipv6 ? AF_INET6 : AF_INET, text.c_str(), bytes) == 1;
}

std::string Written(const uint8_t* bytes, bool ipv6) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof text);
  return text;
}

// What no packet of one host to another has as its source.
bool IsOneHost(const uint8_t* bytes, bool ipv6) {
  if (!ipv6) return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224 && !(bytes[0] == 169 && bytes[1] == 254);
  static constexpr uint8_t kNone[12] = {};
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes, kNone, 12) == 0 || std::memcmp(bytes, kMapped, 12) == 0) return false;
  return bytes[0] != 0xff && !(bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

int ReadNumber(const std::string& text, int most) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0 || number > most)
    return -1;
  return number;
}

}  // namespace

Address ParseAddress(const std::string& text, const std::string& parameter) {
  uint8_t bytes[16] = {};
  const bool ipv6 = text.find(':') != std::string::npos;
  if (!ReadBytes(text, ipv6, bytes)) Refuse(text, parameter, "an address: 10.20.0.2 or fd00:20::2");
  if (!IsOneHost(bytes, ipv6)) Refuse(text, parameter, "the address of one host that packets are routed to");
  return {Written(bytes, ipv6), ipv6};
}

Subnet ParseSubnet(const std::string& text, const std::string& parameter) {
  const std::string expected = "a network without host bits: 10.20.0.0/24 or fd00:20::/64";
  const size_t slash = text.find('/');
  if (slash == std::string::npos) Refuse(text, parameter, expected);
  Subnet subnet;
  subnet.ipv6 = text.find(':') != std::string::npos;
  subnet.length = ReadNumber(text.substr(slash + 1), subnet.ipv6 ? 128 : 32);
  if (!ReadBytes(text.substr(0, slash), subnet.ipv6, subnet.bytes.data())) Refuse(text, parameter, expected);
  // A network of half the world would cut the gateway itself off.
  if (subnet.length < (subnet.ipv6 ? 16 : 8)) Refuse(text, parameter, subnet.ipv6 ? "/16 to /128" : "/8 to /32");
  if (!IsOneHost(subnet.bytes.data(), subnet.ipv6)) Refuse(text, parameter, "a network of hosts");
  for (int bit = subnet.length; bit < (subnet.ipv6 ? 128 : 32); ++bit) {
    if ((subnet.bytes[static_cast<size_t>(bit / 8)] & (0x80 >> (bit % 8))) != 0) Refuse(text, parameter, expected);
  }
  subnet.text = Written(subnet.bytes.data(), subnet.ipv6) + "/" + std::to_string(subnet.length);
  return subnet;
}

bool Subnet::Contains(const Address& address) const {
  uint8_t other[16] = {};
  if (address.ipv6 != ipv6 || !ReadBytes(address.text, ipv6, other)) return false;
  for (int bit = 0; bit < length; ++bit) {
    const auto at = static_cast<size_t>(bit / 8);
    if (((bytes[at] ^ other[at]) & (0x80 >> (bit % 8))) != 0) return false;
  }
  return true;
}

bool Subnet::NamesNoHost(const Address& address) const {
  uint8_t other[4] = {};
  if (ipv6 || length > 30 || !Contains(address) || !ReadBytes(address.text, false, other)) return false;
  bool zeros = true, ones = true;
  for (int bit = length; bit < 32; ++bit) {
    const bool one = (other[bit / 8] & (0x80 >> (bit % 8))) != 0;
    zeros = zeros && !one;
    ones = ones && one;
  }
  return zeros || ones;
}

std::string ParseMac(const std::string& text, const std::string& parameter) {
  if (text.empty()) return text;
  std::string mac;
  bool sound = text.size() == 17;
  for (size_t i = 0; sound && i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    sound = i % 3 == 2 ? c == ':' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    mac += c;
  }
  // An odd first byte is a group's.
  sound = sound && std::string("13579bdf").find(mac[1]) == std::string::npos && mac != "00:00:00:00:00:00";
  if (!sound) Refuse(text, parameter, "the hardware address of one interface: 02:00:00:00:00:01");
  return mac;
}

Member ParseMember(const std::string& text, const std::string& parameter) {
  const size_t at = text.find('@');
  if (at == std::string::npos) return {ParseAddress(text, parameter), ""};
  const std::string mac = text.substr(at + 1);
  if (mac.empty()) Refuse(text, parameter, "a hardware address after @");
  return {ParseAddress(text.substr(0, at), parameter), ParseMac(mac, parameter)};
}

void ParseAddressAndPort(const std::string& text, const std::string& parameter, Address& address, uint16_t& port) {
  const std::string expected = "an address and a port: 10.1.0.2:7443 or [fd00::1]:7443";
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon < 2) Refuse(text, parameter, expected);
  std::string host = text.substr(0, colon);
  const bool brackets = host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets != (host.find(':') != std::string::npos)) Refuse(text, parameter, expected);
  const int number = ReadNumber(text.substr(colon + 1), 65535);
  if (number < 1) Refuse(text, parameter, expected);
  address = ParseAddress(host, parameter);
  port = static_cast<uint16_t>(number);
}

std::string Service::Shown() const {
  const std::string host = address.ipv6 ? "[" + address.text + "]" : address.text;
  return protocol + ":" + host + ":" + std::to_string(port);
}

Service ParseService(const std::string& text, const std::string& parameter) {
  Service service;
  service.protocol = text.substr(0, text.find(':'));
  if ((service.protocol != "tcp" && service.protocol != "udp") || text.size() < 5) {
    Refuse(text, parameter, "a protocol, an address and a port: tcp:10.1.0.2:7443 or udp:[fd00::1]:123");
  }
  ParseAddressAndPort(text.substr(4), parameter, service.address, service.port);
  return service;
}

}  // namespace reprise::bubble
