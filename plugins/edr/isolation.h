// The rules that cut a host off, as values: their text for nft, and what nft shows of them when it is asked back. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plugins/sdk/results.h"

namespace reprise::edr {

inline constexpr const char* kIsolationTable = "reprise_isolation";

// An address of the network, never a name.
struct Endpoint {
  std::string address;  // As inet_ntop writes it.
  bool ipv6 = false;
  uint16_t port = 0;

  std::string Shown() const;
  bool operator==(const Endpoint&) const = default;
};

// "10.0.0.1:7443" or "[fd00::1]:7443". Throws Error "bad_params" naming `parameter`.
Endpoint ParseEndpoint(const std::string& text, const std::string& parameter);

// For `nft -f`: takes the place of a former table in one transaction.
std::string IsolationRules(const std::vector<Endpoint>& allowed);

// The rules of each chain in plain words, in their order: chain -> lines. "policy drop hook input" is the first.
using Chains = std::map<std::string, std::vector<std::string>>;

Chains ExpectedChains(const std::vector<Endpoint>& allowed);

// From `nft -j list table inet reprise_isolation`; what is not understood comes out as its JSON, and so equals nothing
// that is expected. Throws Error "nft_unreadable".
Chains ChainsOf(const std::string& json);

// Packets that the last rule of `chain` has dropped; -1 if it does not say.
int64_t DroppedIn(const std::string& json, const std::string& chain);

// The first difference, for people; empty if there is none.
std::string FirstDifference(const Chains& expected, const Chains& found);

}  // namespace reprise::edr
