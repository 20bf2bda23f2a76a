// The TCP sockets of this host's network as the kernel lists them: who listens, who is connected to whom. Only in verbs
// with needs.network; others see a network that has nothing in it.
#pragma once

#include <arpa/inet.h>

#include <cstring>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::sdk::application {

struct TcpSocket {
  std::string local, remote;  // Addresses in their usual form; an IPv4 address inside IPv6 as IPv4.
  int local_port = 0, remote_port = 0;
  bool listens = false;
  bool connected = false;     // Or about to be, or just ending.
};

namespace sockets_internal {

// The kernel writes words of four bytes in its own byte order.
inline std::string AddressOf(const std::string& hex) {
  unsigned char bytes[16] = {};
  const size_t words = hex.size() / 8;
  for (size_t word = 0; word < words && word < 4; ++word) {
    const uint32_t value = static_cast<uint32_t>(std::stoul(hex.substr(word * 8, 8), nullptr, 16));
    std::memcpy(bytes + word * 4, &value, 4);
  }
  static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN] = "";
  if (words == 1) {
    inet_ntop(AF_INET, bytes, text, sizeof text);
  } else if (std::memcmp(bytes, kMapped, 12) == 0) {
    inet_ntop(AF_INET, bytes + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes, text, sizeof text);
  }
  return text;
}

}  // namespace sockets_internal

// `text` is that of /proc/net/tcp or tcp6. Nothing: it is not understood.
inline std::optional<std::vector<TcpSocket>> ParseSockets(const std::string& text) {
  std::vector<TcpSocket> sockets;
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line.find("local_address") == std::string::npos) return std::nullopt;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    if (!(words >> number >> local >> remote >> state)) return std::nullopt;
    const size_t at = local.find(':'), to = remote.find(':');
    if (at == std::string::npos || to == std::string::npos) return std::nullopt;
    TcpSocket socket;
    socket.local = sockets_internal::AddressOf(local.substr(0, at));
    socket.remote = sockets_internal::AddressOf(remote.substr(0, to));
    socket.local_port = static_cast<int>(std::stoul(local.substr(at + 1), nullptr, 16));
    socket.remote_port = static_cast<int>(std::stoul(remote.substr(to + 1), nullptr, 16));
    socket.listens = state == "0A";
    // 06 is TIME_WAIT and 07 CLOSE: over.
    socket.connected = !socket.listens && state != "06" && state != "07";
    sockets.push_back(socket);
  }
  return sockets;
}

// Of this host. Nothing: the kernel does not tell.
inline std::optional<std::vector<TcpSocket>> SocketsHere() {
  std::vector<TcpSocket> all;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = ReadFileIfThere(path, 64 << 20);
    if (!text) {
      if (std::string(path) == "/proc/net/tcp") return std::nullopt;
      continue;  // A kernel without IPv6.
    }
    const auto sockets = ParseSockets(*text);
    if (!sockets) return std::nullopt;
    all.insert(all.end(), sockets->begin(), sockets->end());
  }
  return all;
}

}  // namespace reprise::sdk::application
