// One thing to judge, and how it travels to the child and its outcome back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/backup/repositories/repository.h"

namespace reprise::backup {

// What tells that a file is the one that was there before. Not its content; but nobody sets a change time back.
struct Stamp {
  uint64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  uint64_t inode = 0;
  uint64_t device = 0;
  bool operator==(const Stamp&) const = default;
};

struct Job {
  std::string path;
  std::string name;    // In evidence: below the recovery point.
  std::string kind;    // "file", a repository's name, or kHashOnly.
  std::string digest;  // What a manifest says of it, in hex; empty: nothing.
  uint64_t size = 0;   // Of the file, to begin with; a guess where it was not looked at.
  bool looked = true;  // The stamp is the file's, and its child holds it against what it finds.
  bool hash = false;   // The outcome shall have its SHA-256.
  bool alone = false;  // Sent when a child has nothing else to do: one of several among which a child died.
  Stamp stamp;         // Of a repository: of all its files together. A child hears of size and modification only.
};

// Reads a file and judges nothing: for the manifest, where something else judges.
inline constexpr const char* kHashOnly = "hash";

struct JobOutcome {
  RepositoryOutcome judged;
  std::string sha256;  // In hex, of a file; empty: it could not be read to its end, or nobody asked.
  // Of a file that was read to its end.
  uint64_t size = 0;
  int64_t modified_ns = 0;
};

// The child's one argument. Raised with every change of what is said below: a child of another build must say so, not wait.
inline constexpr const char* kJobFormat = "2";
inline constexpr int kForeignFormatExit = 4;

// NUL-terminated fields: names are bytes, whatever they are.
std::string Sent(const Job& job);
// At most; the same each time.
size_t SentSize(const Job& job);
inline constexpr size_t kJobFields = 6;
// REQUIRES: kJobFields fields.
Job ReceivedJob(std::string* fields);

std::string Packed(const JobOutcome& outcome);
std::optional<JobOutcome> UnpackedOutcome(std::string_view text);

// Frames: what a child says, each with its length before it.
struct Answer {
  uint64_t read = 0;
  std::optional<JobOutcome> outcome;
};
std::string Sent(uint64_t read, const JobOutcome* outcome);
// Of the frame at the front: its length with its head, or 0 if it is not whole yet.
size_t FrameAt(std::string_view text);
inline constexpr size_t kFrameMax = size_t{64} << 20;
// REQUIRES: FrameAt(frame) == frame.size(). Nothing: neither.
std::optional<Answer> ParseAnswer(std::string_view frame);

}  // namespace reprise::backup
