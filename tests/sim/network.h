// Connections between agents and the coordinator. On one connection messages keep their order, and a cut loses what is
// on the way; the two ends learn of it at different times. Messages of different connections overtake each other. When
// the faults say so it is worse than any stream: single messages are lost, come twice, or come after later ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "reprise/agent/v1/agent.pb.h"
#include "tests/sim/clockwork.h"
#include "tests/sim/faults.h"

namespace reprise::sim {

class Network {
 public:
  struct Ends {
    std::function<void(const std::string& host, uint64_t link, const agent::v1::AgentMessage&)> to_coordinator;
    std::function<void(const std::string& host, uint64_t link, const agent::v1::CoordinatorMessage&)> to_agent;
    std::function<void(const std::string& host, uint64_t link)> coordinator_lost;
    std::function<void(const std::string& host, uint64_t link)> agent_lost;
    // Whoever listens in.
    std::function<void(const std::string& host, const agent::v1::CoordinatorMessage&)> overheard;
  };
  Network(Clockwork& clockwork, const Faults& faults) : clockwork_(clockwork), faults_(faults) {}
  void SetEnds(Ends ends) { ends_ = std::move(ends); }

  uint64_t Open(const std::string& host);
  void Up(uint64_t link, agent::v1::AgentMessage message);
  void Down(uint64_t link, agent::v1::CoordinatorMessage message);
  // Brings it to the host's agent at once, as if the coordinator had said it. False: the agent is not connected.
  bool SlipIn(const std::string& host, const agent::v1::CoordinatorMessage& message);
  // Nothing that is on the way arrives any more.
  void Cut(uint64_t link);
  // One end is gone; what it said before still arrives.
  void CloseByAgent(uint64_t link);
  void CloseByCoordinator(uint64_t link);
  void CloseAllByCoordinator();
  void CutAll();
  // The host does not reach the coordinator until healed.
  void Part(const std::string& host);
  void Heal() { parted_.clear(); }
  bool Reaches(const std::string& host) const { return !parted_.contains(host); }

 private:
  struct Link {
    std::string host;
    bool cut = false;
    bool agent_open = true;
    bool coordinator_open = true;
    UnixMs up_at = 0;  // When the last message on the way arrives.
    UnixMs down_at = 0;
  };
  int64_t Delay(UnixMs& last);
  // Brings one message to its end, by the faults once, twice, late or never.
  void Carry(uint64_t link, UnixMs& last, const std::function<void()>& arrive);

  Clockwork& clockwork_;
  const Faults& faults_;
  Ends ends_;
  std::map<uint64_t, Link> links_;
  std::map<std::string, bool> parted_;
  uint64_t last_ = 0;
};

}  // namespace reprise::sim
