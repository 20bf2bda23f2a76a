// The raw limit beside which the coordinator is measured: a gRPC server with the same TLS settings and the same
// messages, which hands out tasks and acknowledges outcomes without deciding, journalling or remembering anything.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace reprise::bench {

struct BareServerOptions {
  std::string ca;           // PEM: whose clients are let in.
  std::string certificate;  // PEM, of the server.
  std::string key;
  uint32_t hosts = 0;           // Tasks begin when so many said hello.
  uint32_t tasks_per_host = 0;  // One after the other, as steps of a run are.
  uint64_t task_bytes = 0;        // Size of each task but the first …
  uint64_t first_task_bytes = 0;  // … which brings a plan's authority.
};

class BareServer {
 public:
  struct Impl;
  // On a free port of loopback.
  static absl::StatusOr<std::unique_ptr<BareServer>> Start(const BareServerOptions& options);
  ~BareServer();

  int port() const;

 private:
  explicit BareServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::bench
