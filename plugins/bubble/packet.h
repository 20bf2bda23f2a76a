// One socket that tries one target: a connection, a datagram, an echo. Without waiting; who polls is told what to poll
// for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/bubble/target.h"
#include "plugins/sdk/file.h"

namespace reprise::bubble {

struct Result {
  Outcome outcome = Outcome::kSilent;
  std::string text;
};

class Packet {
 public:
  virtual ~Packet() = default;
  // Nothing: wait for it.
  virtual std::optional<Result> Send() = 0;
  virtual std::optional<Result> SendAgain() { return std::nullopt; }
  // Something has happened on the socket.
  virtual std::optional<Result> Look() = 0;
  virtual short events() const = 0;
  virtual std::string way() const = 0;  // "TCP", "UDP", "ICMP"
  int fd() const { return fd_.get(); }

 protected:
  sdk::Fd fd_;
};

std::vector<std::unique_ptr<Packet>> PacketsFor(const Target& target);

}  // namespace reprise::bubble
