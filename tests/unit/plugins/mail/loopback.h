// Sockets of this machine's own address, for the servers and proxies of the tests.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <stdexcept>

#include "plugins/sdk/file.h"

namespace reprise::mail {

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Listens on a free port. Throws std::runtime_error when there is none.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    if (bind(get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(get(), 16) != 0 ||
        getsockname(get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port to listen on");
    }
    port_ = ntohs(address.sin_port);
  }

  int get() const { return socket_.get(); }
  uint16_t port() const { return port_; }
  // -1: nobody came.
  int Accept() const { return accept4(get(), nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  sdk::Fd socket_;
  uint16_t port_ = 0;
};

}  // namespace reprise::mail
