// The raw limit beside which the coordinator is measured: a gRPC server with the same TLS settings and the same
// messages, which hands out tasks and acknowledges outcomes without deciding or remembering anything. Where an order
// says so it makes each task and each outcome durable before it goes on, as the coordinator must.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace reprise::bench {

struct BareServerOptions {
  std::string ca;           // PEM: whose clients are let in.
  std::string certificate;  // PEM, of the server.
  std::string key;
  std::filesystem::path journal;  // A new file, for orders that are durable; empty: none.
};

// One measurement: so many tasks to each of the first hosts that said hello.
struct BareOrder {
  uint32_t hosts = 0;
  uint32_t tasks_per_host = 0;
  uint32_t in_flight = 1;         // On one host.
  uint64_t task_bytes = 0;        // Size of each task but a host's first …
  uint64_t first_task_bytes = 0;  // … which brings a plan's authority.
  bool durable = false;
  uint64_t journal_bytes = 0;  // What the coordinator wrote for one round trip: so much is written here too.
};

class BareServer {
 public:
  struct Impl;
  // On a free port of loopback.
  static absl::StatusOr<std::unique_ptr<BareServer>> Start(const BareServerOptions& options);
  ~BareServer();

  // Begins it and returns. REQUIRES: the one before is over. FAILED_PRECONDITION: fewer hosts are there, or no journal.
  absl::Status Begin(const BareOrder& order);
  int port() const;

 private:
  explicit BareServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::bench
