// Where the messages of one mbox file are, and what stands around them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mail/store.h"

namespace reprise::mail {

struct MboxMessage {
  uint64_t begin = 0;  // After its From_ line.
  uint64_t body = 0;   // After the empty line that ends its header.
  uint64_t end = 0;    // Before the empty line that is no part of it.
  uint32_t uid = 0;
  uint64_t bytes = 0;  // With CRLF, without the servers' own headers.
  InternalDate date;
  std::vector<std::string> flags;
};

struct MboxIndex {
  uint32_t uid_validity = 0;
  uint32_t uid_next = 1;
  std::vector<MboxMessage> messages;  // By rising UID.
  uint64_t file_bytes = 0;
  int64_t changed_ns = 0;  // When the file was written last.
};

// "From anne@hr1.example  Mon Aug  8 10:00:00 2022 +0200" as a date. Without a zone it is this host's. Nothing: it is no such line.
std::optional<InternalDate> ParseFromLine(std::string_view line);

// Whether a header line is the server's own, not the message's.
bool IsServersOwn(std::string_view line);

// Of an open file. `look` is called now and then, and may throw.
MboxIndex IndexMbox(int fd, const std::function<void()>& look);

// The message as it was sent, with CRLF.
void ReadMboxMessage(int fd, const MboxMessage& message, const Sink& sink);

}  // namespace reprise::mail
