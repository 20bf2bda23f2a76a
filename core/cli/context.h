// What a command has to work with: the global flags, the person's profile, the coordinator, the terminal, time and chance.
// One per process; made by main.cc, or by a test with fakes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/cli/client.h"
#include "core/cli/json_output.h"
#include "core/cli/profile.h"
#include "core/cli/terminal.h"

namespace reprise::cli {

enum class OutputForm { kTable, kWide, kJson };

struct GlobalFlags {
  std::string profile;
  OutputForm output = OutputForm::kTable;
  bool no_color = false;
  int64_t timeout_ms = 0;  // 0: the default.
  bool yes = false;
};

class Context {
 public:
  using Connect = std::function<std::unique_ptr<Client>(const Profile&, int64_t timeout_ms)>;
  // All outlive it.
  Context(Terminal& terminal, const Clock& clock, Random& random, Connect connect)
      : terminal(terminal), clock(clock), random(random), connect_(std::move(connect)) {}

  // Read once, when first wanted.
  absl::StatusOr<const Profile*> profile();
  absl::StatusOr<Client*> client();

  bool json() const { return flags.output == OutputForm::kJson; }
  // Tables are cut to the terminal unless -o wide.
  bool cut() const { return flags.output == OutputForm::kTable; }
  void PrintJson(const Json& value);
  void PrintJson(const google::protobuf::Message& message) { PrintJson(ToJson(message)); }
  // A line of the result, where it is for people; nothing with -o json.
  void Say(const std::string& line);
  // A line beside the result, always to err().
  void Note(const std::string& line);

  // OK when the person said yes, or --yes. CANCELLED when no.
  absl::Status Confirm(const std::string& question);

  // "3 min ago", "never"
  std::string Ago(UnixMs at) const;

  GlobalFlags flags;
  Terminal& terminal;
  const Clock& clock;
  Random& random;

 private:
  Connect connect_;
  std::optional<Profile> profile_;
  std::unique_ptr<Client> client_;
};

}  // namespace reprise::cli
