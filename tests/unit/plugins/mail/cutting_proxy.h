// Stands between a client and a server, and cuts: after so many bytes of the client it lets the server go on for a moment, keeps what that
// answers, and ends both connections. So a server has done what nobody was told.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "plugins/sdk/file.h"
#include "tests/unit/plugins/mail/loopback.h"

namespace reprise::mail {

class CuttingProxy {
 public:
  // Each number of `cuts` ends one connection; those after the last one live.
  CuttingProxy(uint16_t server_port, std::vector<size_t> cuts) : server_port_(server_port), cuts_(std::move(cuts)) {
    thread_ = std::thread([this] { Run(); });
  }
  ~CuttingProxy() {
    over_ = true;
    thread_.join();
  }

  uint16_t port() const { return listening_.port(); }
  size_t cut() const { return cut_; }

 private:
  struct Pair {
    sdk::Fd client, server;
    size_t sent = 0;
    std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();
  };

  // False: this way has ended.
  static bool Pass(int from, int to, size_t* counted) {
    char buffer[16384];
    const ssize_t count = recv(from, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    if (counted != nullptr) *counted += size_t(count);
    for (ssize_t done = 0; done < count;) {
      const ssize_t sent = send(to, buffer + done, size_t(count - done), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += sent;
    }
    return true;
  }

  void Run() {
    std::vector<Pair> pairs;
    while (!over_) {
      std::vector<pollfd> wanted = {{listening_.get(), POLLIN, 0}};
      const auto now = std::chrono::steady_clock::now();
      for (const Pair& pair : pairs) {
        const bool cutting = pair.end != std::chrono::steady_clock::time_point::max();
        wanted.push_back({cutting ? -1 : pair.client.get(), POLLIN, 0});
        wanted.push_back({cutting ? -1 : pair.server.get(), POLLIN, 0});
      }
      poll(wanted.data(), wanted.size(), 20);
      for (size_t i = pairs.size(); i-- > 0;) {
        Pair& pair = pairs[i];
        bool alive = now < pair.end;
        if (alive && wanted[1 + 2 * i].revents != 0) alive = Pass(pair.client.get(), pair.server.get(), &pair.sent);
        if (alive && wanted[2 + 2 * i].revents != 0) alive = Pass(pair.server.get(), pair.client.get(), nullptr);
        if (alive && cut_ < cuts_.size() && pair.sent >= cuts_[cut_] && pair.end == std::chrono::steady_clock::time_point::max()) {
          pair.end = now + std::chrono::milliseconds(200);
          ++cut_;
        }
        if (!alive) pairs.erase(pairs.begin() + std::ptrdiff_t(i));
      }
      if (wanted[0].revents != 0) {
        Pair pair;
        pair.client.Reset(listening_.Accept());
        pair.server.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = Loopback(server_port_);
        if (pair.client && connect(pair.server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) pairs.push_back(std::move(pair));
      }
    }
  }

  const uint16_t server_port_;
  const std::vector<size_t> cuts_;
  const Listener listening_;
  std::atomic<size_t> cut_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace reprise::mail
