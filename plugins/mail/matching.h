// Which messages of a target are which of those that were meant to be there: after a kill, a lost connection, a lost ledger, or a
// server that numbered everything anew. Pure. Two equal messages are two: each is given once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/mail/store.h"

namespace reprise::mail {

// One that is looked for. Its hash is known.
struct Wanted {
  int64_t row = 0;
  uint64_t bytes = 0;
  InternalDate date;
  std::string sha256;
};

// One that is there, and nobody's. Its hash is known only once it was read.
struct Candidate {
  uint32_t uid = 0;
  uint64_t bytes = 0;
  InternalDate date;
  std::string sha256;
};

struct Pair {
  int64_t row = 0;
  uint32_t uid = 0;

  bool operator==(const Pair&) const = default;
};

// The candidates, by rising UID, that must be read before Match can tell: those without hash that have bytes and date of a wanted one.
std::vector<uint32_t> ToRead(const std::vector<Wanted>& wanted, const std::vector<Candidate>& candidates);

// Pairs of equal bytes, date and hash, as many as there can be; no row and no UID twice. Among equal ones the first row gets the
// lowest UID, so that order is kept. A candidate without hash is nobody's.
std::vector<Pair> Match(std::vector<Wanted> wanted, std::vector<Candidate> candidates);

// Whether two servers mean the same instant; they may tell it in different zones.
inline bool SameInstant(const InternalDate& one, const InternalDate& other) { return one.unix_seconds == other.unix_seconds; }

}  // namespace reprise::mail
