// Agents' streams: what is said when one opens, who is heard, what a closed one leaves behind.
// Internal to core/engine.
#pragma once

#include <string>

#include "core/engine/desk.h"
#include "core/engine/dispatcher.h"
#include "core/engine/outcomes.h"

namespace reprise::engine {

class Sessions {
 public:
  Sessions(Desk& desk, Dispatcher& dispatcher, Outcomes& outcomes)
      : desk_(desk), dispatcher_(dispatcher), outcomes_(outcomes) {}

  void On(const Started& started);
  void On(const SessionOpened& opened);
  void On(const SessionClosed& closed);
  void On(const AgentSaid& said);

 private:
  void NoteContest(const journal::v1::HostRecord& host, const SessionOpened& opened,
                   journal::v1::SessionOpened& event) const;
  // Tasks in flight of runs that are not known here.
  uint32_t CountUnknown(const agent::v1::Hello& hello) const;
  void Greet(const HostBook& host, const agent::v1::Hello& hello);
  // What the agent says it has, against what it was sent.
  void Compare(HostBook& host, const agent::v1::Hello& hello);
  void LoseWhatEndedRunsLeft(const HostBook& host);
  void OnStopConfirmed(HostBook& host, const agent::v1::StopConfirmed& confirmed);

  Desk& desk_;
  Dispatcher& dispatcher_;
  Outcomes& outcomes_;
};

// Tells the host's agent how the emergency stop stands, by a serial that this agent believes. Nothing while the host is not
// connected.
void SendStop(Desk& desk, const HostBook& host);
// Some connected agent says that it stands still by a stop.
bool SomebodyStandsStill(Desk& desk);

}  // namespace reprise::engine
