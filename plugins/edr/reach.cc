#include "plugins/edr/reach.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

int Connect(int fd, const Endpoint& endpoint) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(endpoint.port);
  inet_pton(AF_INET6, endpoint.address.c_str(), &six.sin6_addr);
  inet_pton(AF_INET, endpoint.address.c_str(), &four.sin_addr);
  const int done = endpoint.ipv6 ? connect(fd, reinterpret_cast<const sockaddr*>(&six), sizeof six)
                                 : connect(fd, reinterpret_cast<const sockaddr*>(&four), sizeof four);
  return done == 0 ? 0 : errno;
}

Reach Told(const Endpoint& endpoint, int error) {
  const std::string where = endpoint.Shown() + ": ";
  if (error == 0) return {Reached::kConnected, where + "connected"};
  if (error == ECONNREFUSED) return {Reached::kRefused, where + "refused by the other side"};
  if (error == ETIMEDOUT) return {Reached::kNoAnswer, where + "no answer"};
  return {Reached::kNotSent, where + std::strerror(error)};
}

}  // namespace

Reach TryToReach(const sdk::Context& context, const Endpoint& endpoint, std::chrono::milliseconds limit) {
  const sdk::Fd fd(socket(endpoint.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Told(endpoint, errno);
  const int begun = Connect(fd.get(), endpoint);
  if (begun != EINPROGRESS) return Told(endpoint, begun);
  const auto until = std::chrono::steady_clock::now() + limit;
  pollfd wanted = {fd.get(), POLLOUT, 0};
  while (poll(&wanted, 1, 50) <= 0) {
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) return Told(endpoint, ETIMEDOUT);
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return Told(endpoint, error);
}

}  // namespace reprise::edr
