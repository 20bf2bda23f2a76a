// How bad the world is, and the mistakes that the processes around the engines may be told to make.
#pragma once

namespace reprise::sim {

// Chances for each occasion. All zero: the world behaves.
struct Faults {
  double coordinator_crash = 0;  // At each of its writes: before it, in it (torn), after it, among its effects.
  double journal_full = 0;       // At each write: refuses from now on, for a while.
  double agent_crash = 0;        // As a verb begins, and in its middle.
  double spool_crash = 0;        // At each write, as above.
  double spool_full = 0;
  double cut = 0;         // At each message: the connection dies, with what is on the way.
  double lost = 0;        // This message alone is lost, and the connection dies later.
  double duplicated = 0;  // It comes once more, a while later.
  double overtaken = 0;   // Others of its connection come before it.
  double plugin = 0;      // Fails, crashes, hangs or lies, at each verb.
  double fetch = 0;
  double clock_step = 0;  // At each look around, of the coordinator's clock or an agent's.
  double thief = 0;       // At each look around: whoever stole the coordinator says something.

  static Faults Many() {
    return {.coordinator_crash = 0.006,
            .journal_full = 0.003,
            .agent_crash = 0.006,
            .spool_crash = 0.006,
            .spool_full = 0.005,
            .cut = 0.008,
            .plugin = 0.12,
            .fetch = 0.02,
            .clock_step = 0.02};
  }
};

// Mistakes of the processes, not of the engines (those are in core/base/planted.h).
struct Bugs {
  bool coordinator_effects_before_append = false;
  bool agent_effects_before_append = false;
  bool journal_drops_events = false;
};

}  // namespace reprise::sim
