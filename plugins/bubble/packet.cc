#include "plugins/bubble/packet.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace reprise::bubble {
namespace {

struct Destination {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Destination DestinationOf(const Target& target, uint16_t port) {
  Destination destination;
  if (target.address.ipv6) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&destination.storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    inet_pton(AF_INET6, target.address.text.c_str(), &six->sin6_addr);
    destination.size = sizeof *six;
  } else {
    auto* four = reinterpret_cast<sockaddr_in*>(&destination.storage);
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    inet_pton(AF_INET, target.address.text.c_str(), &four->sin_addr);
    destination.size = sizeof *four;
  }
  return destination;
}

// An error that arrived on the socket: somebody sent it.
std::optional<Result> Told(int error) {
  if (error == 0 || error == EAGAIN || error == EINTR) return std::nullopt;
  if (error == ECONNREFUSED) return Result{Outcome::kRefused, "its port is closed, but the packet got there and back"};
  if (error == ETIMEDOUT) return Result{Outcome::kSilent, "no answer"};
  return Result{Outcome::kUnreachable, std::strerror(error)};
}

Result NotSent(int error) {
  return {Outcome::kNotSent, std::string("not sent: ") + std::strerror(error)};
}

class TcpPacket final : public Packet {
 public:
  explicit TcpPacket(const Target& target) : target_(target) {}
  std::optional<Result> Send() override {
    fd_ = sdk::Fd(socket(target_.address.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) return NotSent(errno);
    const Destination to = DestinationOf(target_, target_.port);
    if (connect(fd_.get(), to.get(), to.size) == 0) return Result{Outcome::kAnswered, "connected"};
    if (errno == EINPROGRESS) return std::nullopt;
    return errno == ECONNREFUSED ? *Told(errno) : NotSent(errno);
  }
  std::optional<Result> Look() override {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? Result{Outcome::kAnswered, "connected"} : Told(error);
  }
  short events() const override { return POLLOUT; }
  std::string way() const override { return "TCP"; }

 private:
  Target target_;
};

// Not connected: a host with several addresses may answer from another than the one that was asked, and that is an
// answer too. Errors about it come with the address of who sent them.
class UdpPacket final : public Packet {
 public:
  explicit UdpPacket(const Target& target) : target_(target) {
    if (target.kind != "dns") {
      message_ = "reprise-bubble-proof\n";
      return;
    }
    uint16_t id = 0;
    if (getrandom(&id, sizeof id, 0) != sizeof id) id = 0x5250;
    // One question: the name servers of the root.
    const char question[] = "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01";
    message_ = std::string(reinterpret_cast<const char*>(&id), 2) + std::string(question, sizeof question - 1);
  }
  std::optional<Result> Send() override {
    const bool ipv6 = target_.address.ipv6;
    fd_ = sdk::Fd(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    if (!fd_ ||
        setsockopt(fd_.get(), ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on) !=
            0 ||
        !Out()) {
      return NotSent(errno);
    }
    return std::nullopt;
  }
  std::optional<Result> SendAgain() override {
    if (!Out() && errno != EAGAIN) return Look();
    return std::nullopt;
  }
  std::optional<Result> Look() override {
    char buffer[4096];
    const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count >= 0) return Result{Outcome::kAnswered, "answered with " + std::to_string(count) + " bytes"};
    return Error();
  }
  short events() const override { return POLLIN; }
  std::string way() const override { return "UDP"; }

 private:
  bool Out() {
    const Destination to = DestinationOf(target_, target_.port);
    return sendto(fd_.get(), message_.data(), message_.size(), MSG_NOSIGNAL, to.get(), to.size) >= 0;
  }
  std::optional<Result> Error() {
    char data[64], control[512];
    sockaddr_storage about{};
    iovec piece = {data, sizeof data};
    msghdr message{};
    message.msg_name = &about, message.msg_namelen = sizeof about;
    message.msg_iov = &piece, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    if (recvmsg(fd_.get(), &message, MSG_ERRQUEUE) < 0) return std::nullopt;
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      const bool ours = (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_RECVERR) ||
                        (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_RECVERR);
      if (!ours) continue;
      struct {
        sock_extended_err error;
        sockaddr_storage sender;
      } told{};
      std::memcpy(&told, CMSG_DATA(one), std::min(sizeof told, static_cast<size_t>(one->cmsg_len - CMSG_LEN(0))));
      const auto code = static_cast<int>(told.error.ee_errno);
      const std::string sender = Shown(told.sender);
      // "Port unreachable" of a wall in between is a wall.
      if (code == ECONNREFUSED && sender == target_.address.text) return Told(code);
      return Result{Outcome::kUnreachable,
                    std::string(std::strerror(code)) + (sender.empty() ? "" : ", says " + sender)};
    }
    return std::nullopt;
  }
  static std::string Shown(const sockaddr_storage& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr, text, sizeof text);
    } else if (address.ss_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr, text, sizeof text);
    }
    return text;
  }
  Target target_;
  std::string message_;
};

uint16_t Checksum(const std::string& message) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < message.size(); i += 2) {
    sum += static_cast<uint32_t>(static_cast<uint8_t>(message[i]) << 8 | static_cast<uint8_t>(message[i + 1]));
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<uint16_t>(~sum));
}

// By a ping socket where the host allows them, else by a raw one, which root has.
class EchoPacket final : public Packet {
 public:
  explicit EchoPacket(const Target& target) : ipv6_(target.address.ipv6) {
    const int protocol = ipv6_ ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP);
    Open(target, SOCK_DGRAM, protocol);
    raw_ = !fd_;
    if (raw_) Open(target, SOCK_RAW, protocol);
    // type, code, checksum, id, number, 8 bytes that nobody else sends
    uint8_t nonce[10];
    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce) std::memset(nonce, 0x52, sizeof nonce);
    message_ = std::string(1, static_cast<char>(ipv6_ ? ICMP6_ECHO_REQUEST : ICMP_ECHO)) + std::string(3, '\0') +
               std::string(reinterpret_cast<const char*>(nonce), 2) + std::string("\0\1", 2) +
               std::string(reinterpret_cast<const char*>(nonce) + 2, 8);
    if (ipv6_) return;  // The kernel sums up for IPv6.
    const uint16_t sum = Checksum(message_);
    std::memcpy(message_.data() + 2, &sum, sizeof sum);
  }
  std::optional<Result> Look() override {
    char buffer[4096];
    const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count < 0) return Told(errno);
    std::string got(buffer, static_cast<size_t>(count));
    if (raw_ && !ipv6_ && !got.empty()) got.erase(0, static_cast<size_t>(got[0] & 0x0f) * 4);
    const auto type = static_cast<uint8_t>(got.empty() ? 0xff : got[0]);
    const bool echo = type == (ipv6_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY);
    if (!echo || got.size() < 16 || got.compare(8, 8, message_, 8, 8) != 0) return std::nullopt;  // Another's.
    return Result{Outcome::kAnswered, "echoed"};
  }
  std::optional<Result> Send() override {
    if (!fd_) return NotSent(errno_);
    return send(fd_.get(), message_.data(), message_.size(), MSG_NOSIGNAL) >= 0 ? std::nullopt
                                                                                : std::optional(NotSent(errno));
  }
  std::optional<Result> SendAgain() override {
    return send(fd_.get(), message_.data(), message_.size(), MSG_NOSIGNAL) >= 0 ? std::nullopt : Told(errno);
  }
  short events() const override { return POLLIN; }
  std::string way() const override { return "ICMP"; }

 private:
  // Connected: the kernel then hands on what comes from there only.
  void Open(const Target& target, int type, int protocol) {
    fd_ = sdk::Fd(socket(ipv6_ ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    const Destination to = DestinationOf(target, 0);
    if (!fd_ || connect(fd_.get(), to.get(), to.size) != 0) {
      errno_ = errno;
      fd_.Reset();
    }
  }
  bool ipv6_;
  bool raw_ = false;
  int errno_ = 0;
  std::string message_;
};

}  // namespace

std::vector<std::unique_ptr<Packet>> PacketsFor(const Target& target) {
  std::vector<std::unique_ptr<Packet>> packets;
  if (target.kind == "icmp") packets.push_back(std::make_unique<EchoPacket>(target));
  if (target.kind == "udp" || target.kind == "dns") packets.push_back(std::make_unique<UdpPacket>(target));
  if (target.kind == "tcp" || target.kind == "dns") packets.push_back(std::make_unique<TcpPacket>(target));
  return packets;
}

}  // namespace reprise::bubble
