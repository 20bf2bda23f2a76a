#include "core/engine/desk.h"

#include <stdexcept>

namespace reprise::engine {

void Desk::Emit(journal::v1::Event event) {
  event.set_at_ms(now_);
  event.set_actor(actor_);
  if (absl::Status status = book_.Apply(event); !status.ok()) throw std::logic_error(status.ToString());
  decision_.events.push_back(std::move(event));
}

void Desk::CloseSession(const HostBook& host, const std::string& reason) {
  journal::v1::Event event;
  event.mutable_session_closed()->set_host(host.name);
  event.mutable_session_closed()->set_session(host.record->session());
  event.mutable_session_closed()->set_reason(reason);
  Emit(std::move(event));
  ForgetSession(host);
}

void Desk::Send(const HostBook& host, agent::v1::CoordinatorMessage message) {
  if (!host.connected()) return;
  decision_.effects.emplace_back(SendToAgent{host.name, host.record->session(), std::move(message)});
}

}  // namespace reprise::engine
