// What a prover tries to reach, and what came of it.
//
//   tcp:10.1.0.9:443   a connection           udp:[fd00::9]:514   a datagram
//   icmp:10.1.0.9      an echo                dns:10.1.0.53       a question, by UDP and by TCP, at port 53
#pragma once

#include <string>

#include "plugins/bubble/address.h"

namespace reprise::bubble {

struct Target {
  std::string kind;  // "tcp", "udp", "icmp", "dns"
  Address address;
  uint16_t port = 0;

  std::string Shown() const;
  bool operator==(const Target&) const = default;
};

// Throws Error "bad_params" naming `parameter`.
Target ParseTarget(const std::string& text, const std::string& parameter);

enum class Outcome {
  kAnswered,     // By the target: connected, answered, echoed.
  kRefused,      // By the target too: its port is closed, but the packet was there and back.
  kSilent,       // Nothing came. Of a closed wall, a dead target and a cut cable alike.
  kUnreachable,  // A router on the way, or this host after asking for its neighbour, says that there is no way.
  kNotSent,      // It never left this host.
};

struct Attempt {
  Target target;
  Outcome outcome = Outcome::kNotSent;
  std::string text;  // "tcp:10.1.0.9:443: no answer"

  bool GotThrough() const { return outcome == Outcome::kAnswered || outcome == Outcome::kRefused; }
};

}  // namespace reprise::bubble
