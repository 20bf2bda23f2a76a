// What the verbs return, and its form across the boundary. Plain values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace reprise::sdk {

using Json = nlohmann::json;

// A few lines a person can check: what was run or read, and what it said.
struct Evidence {
  std::string kind;  // "command", "file", "service", …
  std::string text;
};

enum class ClaimState { kUnknown, kHolds, kFails };

// A statement about the host that reports count, such as "edr.protected". Unknown is a value of its own: what could not be
// looked at is never claimed to hold.
struct Claim {
  std::string name;
  ClaimState state = ClaimState::kUnknown;
  std::string detail;
};

struct ProbeResult {
  bool holds = false;  // The desired state is there.
  std::string summary;
  Json observed = Json::object();
  std::vector<Evidence> evidence;
  std::vector<Claim> claims;
};

struct Change {
  std::string what;  // "file /etc/motd"
  std::string from;
  std::string to;
};

struct PlanResult {
  std::vector<Change> changes;  // Empty: nothing to do.
  std::string summary;
};

struct ApplyResult {
  bool changed = false;
  std::string summary;
};

struct VerifyResult {
  bool holds = false;
  std::string summary;
  std::vector<Evidence> evidence;
  std::vector<Claim> claims;
};

struct RollbackResult {
  std::string summary;
};

inline std::string_view NameOf(ClaimState state) {
  switch (state) {
    case ClaimState::kHolds: return "holds";
    case ClaimState::kFails: return "fails";
    case ClaimState::kUnknown: break;
  }
  return "unknown";
}

inline Json ToJson(const std::vector<Evidence>& evidence) {
  Json list = Json::array();
  for (const Evidence& item : evidence) list.push_back({{"kind", item.kind}, {"text", item.text}});
  return list;
}

inline Json ToJson(const std::vector<Claim>& claims) {
  Json list = Json::array();
  for (const Claim& claim : claims) {
    list.push_back({{"name", claim.name}, {"state", NameOf(claim.state)}, {"detail", claim.detail}});
  }
  return list;
}

inline Json ToJson(const ProbeResult& result) {
  return {{"holds", result.holds},
          {"summary", result.summary},
          {"observed", result.observed},
          {"evidence", ToJson(result.evidence)},
          {"claims", ToJson(result.claims)}};
}

inline Json ToJson(const PlanResult& result) {
  Json changes = Json::array();
  for (const Change& change : result.changes) {
    changes.push_back({{"what", change.what}, {"from", change.from}, {"to", change.to}});
  }
  return {{"changes", changes}, {"summary", result.summary}};
}

inline Json ToJson(const ApplyResult& result) {
  return {{"changed", result.changed}, {"summary", result.summary}};
}

inline Json ToJson(const VerifyResult& result) {
  return {{"holds", result.holds},
          {"summary", result.summary},
          {"evidence", ToJson(result.evidence)},
          {"claims", ToJson(result.claims)}};
}

inline Json ToJson(const RollbackResult& result) { return {{"summary", result.summary}}; }

}  // namespace reprise::sdk
