#include "agents/engine/desk.h"

#include <stdexcept>

namespace reprise::agents {

void Desk::Keep(agent::v1::SpoolRecord record) {
  if (absl::Status status = memory_.Apply(record); !status.ok()) {
    throw std::logic_error(std::string(status.message()));
  }
  decision_.records.push_back(std::move(record));
}

void Desk::Say(agent::v1::AgentMessage message) {
  if (session_ != 0) Do(SendToCoordinator{session_, std::move(message)});
}

void Desk::Say(const agent::v1::Finished& finished) {
  agent::v1::AgentMessage message;
  *message.mutable_finished() = finished;
  Say(std::move(message));
}

}  // namespace reprise::agents
