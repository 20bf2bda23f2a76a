// A bubble's table as the gateway's kernel has it, read from `nft -j list table`, and how it differs from what it
// should be. What is not understood is shown as its JSON, and so equals nothing that is expected. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugins/bubble/rules.h"

namespace reprise::bubble {

struct Element {
  int64_t packets = 0;
  int64_t timeout_s = 0;
  int64_t expires_s = 0;
};

struct LoadedSet {
  SetRule rule;
  std::map<std::string, Element> elements;
};

struct Table {
  std::vector<std::string> flags;  // "dormant": the kernel does not look at it.
  Chains chains;
  std::map<std::string, LoadedSet> sets;
  std::map<std::string, Count> counters;
  std::vector<std::string> others;  // Flow tables and whatever else stands in it.

  // What came back with a restart, or after the rules were gone: nobody is let in until a proof was taken anew.
  bool Sealed() const;
  bool Has(const std::string& set, const std::string& element) const;
  // Of `wanted`, what is there.
  Elements Present(const Elements& wanted) const;
  int64_t Packets(const std::string& counter) const;
};

// Throws Error "nft_unreadable".
Table TableFrom(const std::string& json);

// One line for each, for people: "chain forward has \"accept\" where …". Flows may be fewer than were opened (each ends
// by itself); one that nobody opened is a difference. A sealed table must be all sealed. Empty: it is what it should
// be.
std::vector<std::string> Differences(const Bubble& bubble, const Table& table, int64_t now_ms);

// What in the rest of the ruleset (`nft -j list ruleset`) leads past the forward hook of every table: flow tables, and
// rules that send packets on by themselves.
std::vector<std::string> WaysAround(const std::string& json);

}  // namespace reprise::bubble
