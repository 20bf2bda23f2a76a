// What operators do with runs, their gates and the emergency stop. Each command either changes something durable or
// says why it does not. Internal to core/engine.
#pragma once

#include <string>

#include "core/engine/desk.h"
#include "core/engine/dispatcher.h"
#include "core/engine/progress.h"
#include "core/engine/registry.h"

namespace reprise::engine {

class RunCommands {
 public:
  RunCommands(Desk& desk, Dispatcher& dispatcher, Progress& progress)
      : desk_(desk), dispatcher_(dispatcher), progress_(progress) {}

  Answer Do(const std::string& person, const Command::StartRun& request);
  Answer Do(const std::string& person, const Command::Pause& request);
  Answer Do(const std::string& person, const Command::Resume& request);
  Answer Do(const std::string& person, const Command::Abort& request);
  Answer Do(const std::string& person, const Command::Retry& request);
  Answer Do(const std::string& person, const operators::v1::SignGateRequest& request);
  Answer Do(const std::string& person, const Command::RaiseStop& request);
  Answer Do(const std::string& person, const Command::LiftStop& request);

 private:
  absl::StatusOr<RunBook*> ActiveRun(uint64_t run);
  uint64_t NextStopSerial() const;

  Desk& desk_;
  Dispatcher& dispatcher_;
  Progress& progress_;
};

}  // namespace reprise::engine
