// How bad the world is, and the bugs that may be planted to see whether the checkers notice.
#pragma once

namespace reprise::sim {

// Chances for each occasion. All zero: the world behaves.
struct Faults {
  double coordinator_crash = 0;  // At each of its decisions: before, after or in the middle of what follows.
  double journal_refusal = 0;    // At each append.
  double agent_crash = 0;
  double spool_crash = 0;  // Before what was decided is durable.
  double cut = 0;          // At each message.
  double plugin = 0;       // Fails, crashes, hangs or lies, at each verb.
  double fetch = 0;
  double clock_step = 0;  // Of an agent, at each connection.

  static Faults Many() { return {0.004, 0.002, 0.006, 0.004, 0.01, 0.12, 0.02, 0.02}; }
};

// Each is a mistake that a real program could make.
struct Bugs {
  bool coordinator_effects_before_append = false;
  bool agent_effects_before_append = false;
  bool no_probe_after_crash = false;  // The agent takes for granted that nothing was done.
  bool requester_counts_at_gates = false;
  bool journal_drops_events = false;
};

}  // namespace reprise::sim
