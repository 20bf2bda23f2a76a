// The coordinator, put together: journal, loop, services, web. Wiring only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/random.h"

namespace reprise::coordinator {

struct CoordinatorOptions {
  std::filesystem::path data;  // As core/trust/coordinator_folder.h describes it, with a founded journal.
  // Instead of what coordinator.json says; empty: that.
  std::string listen;
  std::string web_listen;
  std::string join_listen;
};

class Coordinator {
 public:
  // Everything runs when it returns. Errors name the file or port at fault.
  static absl::StatusOr<std::unique_ptr<Coordinator>> Start(const CoordinatorOptions& options, const Clock& clock,
                                                            Random& random);
  // Ends every call, saves a snapshot.
  ~Coordinator();

  uint16_t port() const;
  uint16_t web_port() const;
  uint16_t join_port() const;

 private:
  struct Impl;
  explicit Coordinator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::coordinator
