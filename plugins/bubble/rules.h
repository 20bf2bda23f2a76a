// The rules of a bubble, made from what is known of it: their text for nft, and what nft is expected to show of them.
// Pure. One table for each bubble, so that bubbles of one gateway leave each other alone; README.md draws it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugins/bubble/state.h"

namespace reprise::bubble {

std::string TableName(const std::string& bubble);

// Chain -> its lines, in their order. The first of a base chain is "type filter hook …".
using Chains = std::map<std::string, std::vector<std::string>>;

Chains RulesOf(const Charter& charter);

struct SetRule {
  std::vector<std::string> type;   // "ipv4_addr", …
  std::vector<std::string> flags;  // As nft shows them: "interval", "timeout".
  int size = 0;                    // 0: no limit.
  int64_t timeout_s = 0;           // Of elements that name none.
  bool counts = false;             // Each element its own packets.
  bool grows = false;              // By packets: what is in it is not judged.
};

std::map<std::string, SetRule> SetsOf(const Charter& charter);
const std::vector<std::string>& CounterNames();

// Set -> elements that must be there, but for those of flows.
using Elements = std::map<std::string, std::set<std::string>>;
Elements ElementsOf(const Bubble& bubble);

// "10.20.0.2 . 10.1.0.2 . tcp . 7443"
std::string Tuple(const Address& from, const Service& to);
// "flows4", "flows6", …
std::string SetFor(const char* stem, bool ipv6);

struct Count {
  int64_t packets = 0;
  int64_t bytes = 0;
};

// In the set "sealed" while the bubble is: the rules then let no post and no flow through, whatever the other sets say.
const std::set<std::string>& SealedElements();

// For `nft -f`: takes the place of a former table in one transaction. `counted` are the figures that go on; flows that
// run at `now_ms` come with what is left of their time.
std::string TableText(const Bubble& bubble, const std::map<std::string, Count>& counted, int64_t now_ms);
// Likewise, sealed: what comes back before a proof was taken anew.
std::string SealedText(const Bubble& bubble, const std::map<std::string, Count>& counted);
// Takes the seal off, and lets those in that are noted: one transaction.
std::string UnsealText(const Bubble& bubble, int64_t now_ms);

// What one post, or one flow, is in the sets.
Elements ElementsOf(const Post& post);
Elements ElementsOf(const Flow& flow);

// Lines for `nft -f`.
std::string AddElements(const Charter& charter, const Elements& elements);
std::string DeleteElements(const Charter& charter, const Elements& elements);
std::string AddFlow(const Charter& charter, const Flow& flow, int64_t now_ms);

}  // namespace reprise::bubble
