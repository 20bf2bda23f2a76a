#include "core/coordinator/acceptor.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace reprise::coordinator {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPauseMs = 100;  // When there is no descriptor left.

// 0 when it is not open.
uint64_t InodeOf(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

std::string Text(const sockaddr_storage& address) {
  char text[NI_MAXHOST] = "";
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof address, text, sizeof text, nullptr, 0,
              NI_NUMERICHOST);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const std::string& address, const Limits& limits) {
  const size_t colon = address.rfind(':');
  const auto wrong = absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is no address to listen on; expected one like 0.0.0.0:7443"));
  if (colon == std::string::npos) return wrong;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;  // Never a name: there may be no DNS.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.empty() ? nullptr : host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return wrong;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  const int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (listener >= 0) setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener < 0 || bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, kBacklog) != 0) {
    const std::string reason = std::strerror(errno);
    if (listener >= 0) close(listener);
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", reason));
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &length);
  const uint16_t port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                                          : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  return std::unique_ptr<Acceptor>(new Acceptor(listener, eventfd(0, EFD_CLOEXEC), port, limits));
}

Acceptor::~Acceptor() {
  Stop();
  close(listener_);
  close(wake_);
}

void Acceptor::Start(Take take) {
  take_ = std::move(take);
  thread_ = std::thread([this] { Run(); });
}

void Acceptor::Stop() {
  eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
}

void Acceptor::Run() {
  pollfd waited[2] = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
  for (;;) {
    if (poll(waited, 2, -1) < 0) continue;
    if (waited[0].revents != 0) return;
    AcceptAll();
  }
}

void Acceptor::AcceptAll() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int connection =
        accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
      const std::string address = Text(peer);
      if (MayEnter(connection, address)) {
        const int on = 1;
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        take_(listener_, connection);
      } else {
        refused_ += 1;
        close(connection);
      }
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    // No descriptor, no memory: those who wait stay in the backlog until somebody else has gone.
    if (refused_++ % 100 == 0) spdlog::warn("cannot accept a connection: {}", std::strerror(errno));
    pollfd stop = {wake_, POLLIN, 0};
    poll(&stop, 1, kPauseMs);
    return;
  }
}

bool Acceptor::MayEnter(int connection, const std::string& address) {
  // The kernel gave this number again: what had it is closed.
  if (const auto known = open_.find(connection); known != open_.end()) {
    if (--by_address_[known->second.address] == 0) by_address_.erase(known->second.address);
    open_.erase(known);
  }
  const auto crowded = [&] {
    const auto mine = by_address_.find(address);
    return open_.size() >= limits_.connections_max ||
           (mine != by_address_.end() && mine->second >= limits_.per_address_max);
  };
  if (crowded()) Sweep();
  if (crowded()) {
    if (refused_ % 100 == 0) spdlog::warn("too many connections; one from {} is closed", address);
    return false;
  }
  open_[connection] = {InodeOf(connection), address};
  by_address_[address] += 1;
  return true;
}

// Whoever took a connection does not say when it closed it: then its number is free, or another socket's.
void Acceptor::Sweep() {
  for (auto it = open_.begin(); it != open_.end();) {
    if (InodeOf(it->first) == it->second.inode) {
      ++it;
      continue;
    }
    if (--by_address_[it->second.address] == 0) by_address_.erase(it->second.address);
    it = open_.erase(it);
  }
}

}  // namespace reprise::coordinator
