// Infected messages, kept apart: readable by root only, each with a record of what it is and how it came here. They are never
// appended anywhere. Files are named by hash; no name of a person, a mailbox or a folder is in the record.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "plugins/mail/store.h"

namespace reprise::mail {

struct Infected {
  std::string sha256, signature;
  std::string box_hash;
  FolderPath folder;
  uint32_t uid = 0;
  uint64_t bytes = 0;
};

class Quarantine {
 public:
  explicit Quarantine(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Durable when it returns: <sha256>.eml, and a line in evidence.jsonl. The same message of the same place twice is one.
  void Keep(const Infected& infected, const std::function<void(const Sink&)>& body);

 private:
  const std::filesystem::path folder_;
};

}  // namespace reprise::mail
