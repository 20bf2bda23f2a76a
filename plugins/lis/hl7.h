// As much of HL7 v2 as proves that somebody speaks it: a message of ours, an acknowledgement of theirs, and the frame
// around both (MLLP: 0x0B … 0x1C 0x0D). Pure but for Exchange.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/sdk/context.h"

namespace reprise::lis {

inline std::string Framed(const std::string& message) { return "\x0b" + message + "\x1c\r"; }
// The first whole message of `stream`, without its frame; nothing until there is one.
std::optional<std::string> Unframed(std::string_view stream);

// A message that changes nothing: MSH-11 is T, training, which a receiver acknowledges and does not process as the real thing.
std::string ProbeMessage(const std::string& application, const std::string& facility, const std::string& type,
                         const std::string& control_id, int64_t now_unix_s);

struct Acknowledgement {
  std::string code;        // MSA-1: AA, AE, AR, CA, CE, CR.
  std::string control_id;  // MSA-2: of the message that is acknowledged.
  bool accepted() const { return code == "AA" || code == "CA"; }
};

// Nothing if it is none, or has more than one MSA: what says yes and no says neither.
std::optional<Acknowledgement> ReadAcknowledgement(std::string_view message);

struct Exchanged {
  bool connected = false;
  std::string answer;   // The message, unframed; "" if none came.
  std::string why_not;  // "Connection refused", "no answer within 5 s"
};

// Sends one message and takes one back.
Exchanged Exchange(const sdk::Context& context, const std::string& address, const std::string& message,
                   std::chrono::milliseconds wait = std::chrono::seconds(5));

}  // namespace reprise::lis
