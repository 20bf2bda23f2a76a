// One thing to judge, and how it travels to the child and its outcome back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/backup/repositories/repository.h"

namespace reprise::backup {

struct Job {
  std::string path;
  std::string name;    // In evidence: below the recovery point.
  std::string kind;    // "file", or a repository's name.
  std::string digest;  // What a manifest says of it, in hex; empty: nothing.
  uint64_t size = 0;   // Of the file, to begin with.
};

// NUL-terminated fields: names are bytes, whatever they are.
std::string Sent(const Job& job);
inline constexpr size_t kJobFields = 4;

// Lines of JSON, each an outcome or {"read": bytes}.
std::string Sent(const RepositoryOutcome& result);
std::string SentProgress(uint64_t bytes);
// Nothing: neither.
struct Answer {
  uint64_t read = 0;
  std::optional<RepositoryOutcome> result;
};
std::optional<Answer> ParseAnswer(std::string_view line);

}  // namespace reprise::backup
