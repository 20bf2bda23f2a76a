// Accepts connections on a port and hands them on, and goes on doing so whatever happens: out of descriptors it waits for
// some to come free, and neither one address nor all together can take more than their share. gRPC's own accept loop of
// this version loses its port for good at the first of these.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::coordinator {

class Acceptor {
 public:
  struct Limits {
    size_t connections_max = 20'000;
    size_t per_address_max = 2'000;  // A site behind one translated address still fits.
  };
  // Owns the descriptor from then on.
  using Take = std::function<void(int listener, int connection)>;

  // Binds and listens; nothing is accepted yet. "address:port", "[::]:port"; port 0 takes a free one.
  // INVALID_ARGUMENT: the address; UNAVAILABLE: the port is taken.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const std::string& address, const Limits& limits);
  ~Acceptor();

  void Start(Take take);
  // No connection is taken any more.
  void Stop();

  uint16_t port() const { return port_; }
  uint64_t Refused() const { return refused_; }

 private:
  struct Open {
    uint64_t inode = 0;
    std::string address;
  };

  Acceptor(int listener, int wake, uint16_t port, const Limits& limits)
      : listener_(listener), wake_(wake), port_(port), limits_(limits) {}
  void Run();
  void AcceptAll();
  bool MayEnter(int connection, const std::string& address);
  void Sweep();

  const int listener_;
  const int wake_;  // An eventfd that ends Run.
  const uint16_t port_;
  const Limits limits_;
  Take take_;
  std::unordered_map<int, Open> open_;  // Handed on, and not known to be closed.
  std::unordered_map<std::string, size_t> by_address_;
  std::atomic<uint64_t> refused_{0};
  std::thread thread_;
};

}  // namespace reprise::coordinator
