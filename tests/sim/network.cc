#include "tests/sim/network.h"

#include <algorithm>

namespace reprise::sim {

uint64_t Network::Open(const std::string& host) {
  links_[++last_].host = host;
  return last_;
}

int64_t Network::Delay(UnixMs& last) {
  last = std::max(last, clockwork_.now() + clockwork_.Between(1, clockwork_.Chance(0.05) ? 2000 : 40));
  return last - clockwork_.now();
}

void Network::Carry(uint64_t id, UnixMs& last, const std::function<void()>& arrive) {
  if (clockwork_.Strikes("connection cut", faults_.cut)) return Cut(id);
  if (clockwork_.Strikes("message lost", faults_.lost)) {
    return clockwork_.After(clockwork_.Between(1000, 30'000), [this, id] { Cut(id); });
  }
  if (clockwork_.Strikes("message duplicated", faults_.duplicated)) {
    clockwork_.After(clockwork_.Between(1, clockwork_.Chance(0.5) ? 100 : 60'000), arrive);
  }
  if (clockwork_.Strikes("message overtaken", faults_.overtaken)) {
    return clockwork_.After(clockwork_.Between(20, 3000), arrive);
  }
  clockwork_.After(Delay(last), arrive);
}

void Network::Up(uint64_t id, agent::v1::AgentMessage message) {
  Link& link = links_.at(id);
  if (link.cut || !link.agent_open) return;
  Carry(id, link.up_at, [this, id, message = std::move(message)] {
    const Link& now = links_.at(id);
    if (!now.cut && now.coordinator_open) ends_.to_coordinator(now.host, id, message);
  });
}

void Network::Down(uint64_t id, agent::v1::CoordinatorMessage message) {
  Link& link = links_.at(id);
  if (link.cut || !link.coordinator_open) return;
  if (ends_.overheard) ends_.overheard(link.host, message);
  Carry(id, link.down_at, [this, id, message = std::move(message)] {
    const Link& now = links_.at(id);
    if (!now.cut && now.agent_open) ends_.to_agent(now.host, id, message);
  });
}

bool Network::SlipIn(const std::string& host, const agent::v1::CoordinatorMessage& message) {
  for (auto link = links_.rbegin(); link != links_.rend(); ++link) {
    if (link->second.host != host) continue;
    if (link->second.cut || !link->second.agent_open) return false;
    ends_.to_agent(host, link->first, message);
    return true;
  }
  return false;
}

void Network::Cut(uint64_t id) {
  Link& link = links_.at(id);
  if (link.cut) return;
  clockwork_.Trace("cut " + std::to_string(id) + " of " + link.host);
  link.cut = true;
  const auto tell_agent = [this, id] {
    Link& now = links_.at(id);
    if (std::exchange(now.agent_open, false)) ends_.agent_lost(now.host, id);
  };
  const auto tell_coordinator = [this, id] {
    Link& now = links_.at(id);
    if (std::exchange(now.coordinator_open, false)) ends_.coordinator_lost(now.host, id);
  };
  clockwork_.After(clockwork_.Between(1, 5000), tell_agent);
  clockwork_.After(clockwork_.Between(1, 60'000), tell_coordinator);
}

void Network::CloseByAgent(uint64_t id) {
  Link& link = links_.at(id);
  if (!std::exchange(link.agent_open, false) || link.cut) return;
  clockwork_.After(Delay(link.up_at), [this, id] {
    Link& now = links_.at(id);
    if (std::exchange(now.coordinator_open, false)) ends_.coordinator_lost(now.host, id);
  });
}

void Network::CloseByCoordinator(uint64_t id) {
  Link& link = links_.at(id);
  if (!std::exchange(link.coordinator_open, false) || link.cut) return;
  clockwork_.After(Delay(link.down_at), [this, id] {
    Link& now = links_.at(id);
    if (std::exchange(now.agent_open, false)) ends_.agent_lost(now.host, id);
  });
}

void Network::CloseAllByCoordinator() {
  for (auto& [id, link] : links_) {
    if (link.coordinator_open) CloseByCoordinator(id);
  }
}

void Network::CutAll() {
  for (auto& [id, link] : links_) {
    if (link.agent_open || link.coordinator_open) Cut(id);
  }
}

void Network::Part(const std::string& host) {
  parted_[host] = true;
  for (auto& [id, link] : links_) {
    if (link.host == host) Cut(id);
  }
}

}  // namespace reprise::sim
