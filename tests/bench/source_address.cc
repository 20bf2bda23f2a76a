// Gives every connection of the program it is linked into an address of its own on loopback, as hosts have: the
// coordinator lets only so many in from one address. Stands in front of libc's connect(), which gRPC calls; gRPC itself
// knows no way to choose a source address.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace {

constexpr uint32_t kFirst = (127u << 24) + (1u << 16) + 1;  // 127.1.0.1

uint32_t NextAddress() {
  static std::atomic<uint32_t> next{0};
  return htonl(kFirst + next++ % 60'000);
}

bool IsLoopback(uint32_t address) {
  return ntohl(address) >> 24 == 127;
}

// What cannot be bound connects from 127.0.0.1, and is counted when it is refused.
void BindOwnAddress(int fd, const sockaddr* target, socklen_t size) {
  const int on = 1;
  if (target->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in source{};
    std::memcpy(&source, target, sizeof source);
    if (!IsLoopback(source.sin_addr.s_addr)) return;
    // Without it each binding would take a port of all addresses.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    source.sin_port = 0;
    source.sin_addr.s_addr = NextAddress();
    (void)bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  } else if (target->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    // gRPC's sockets are of both kinds: ::ffff:127.0.0.1.
    sockaddr_in6 source{};
    std::memcpy(&source, target, sizeof source);
    uint32_t inside = 0;
    std::memcpy(&inside, source.sin6_addr.s6_addr + 12, sizeof inside);
    if (!IN6_IS_ADDR_V4MAPPED(&source.sin6_addr) || !IsLoopback(inside)) return;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    source.sin6_port = 0;
    inside = NextAddress();
    std::memcpy(source.sin6_addr.s6_addr + 12, &inside, sizeof inside);
    (void)bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  }
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int connect(int fd, const sockaddr* address, socklen_t size) {
  BindOwnAddress(fd, address, size);
  return static_cast<int>(syscall(SYS_connect, fd, address, size));
}
