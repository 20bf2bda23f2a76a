// What the verbs return, and its form across the boundary. Plain values.
#pragma once

#include <cstdint>
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

// What was found of one recovery point of a backup set, in the words of the trade: INTACT, INTACT_SAMPLED, PARTIAL, CORRUPT,
// ENCRYPTED_TOTAL, ENCRYPTED_PARTIAL, TAMPERED, UNREADABLE, NOT_EVALUATED. A restore is bound to it by the manifest.
struct Verdict {
  std::string set;              // [a-z0-9._-]
  std::string point;            // The same.
  std::string verdict;
  std::string manifest_sha256;  // Of the manifest's text (manifest.h), lower-case hex; empty: there is none.
  std::string detail;
  double coverage = 0;          // Share of the bytes that were decoded, 0 to 1.
  int64_t taken_unix_ms = 0;    // 0: not known.
  uint64_t bytes = 0;
};

// A number that is worth a curve, such as {"bubble.refused_out", "rh", 41}: the name begins with the plugin's own, the subject
// says what it is about (few different ones; never a person, a patient or a mailbox).
struct Measure {
  std::string name;
  std::string subject;
  double value = 0;
};

struct ProbeResult {
  bool holds = false;  // The desired state is there.
  std::string summary;
  Json observed = Json::object();
  std::vector<Evidence> evidence;
  std::vector<Claim> claims;
  std::vector<Verdict> verdicts;
  std::vector<Measure> measures;
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
  std::vector<Verdict> verdicts;
  std::vector<Measure> measures;
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

inline Json ToJson(const std::vector<Verdict>& verdicts) {
  Json list = Json::array();
  for (const Verdict& one : verdicts) {
    list.push_back({{"set", one.set},
                    {"point", one.point},
                    {"verdict", one.verdict},
                    {"manifest_sha256", one.manifest_sha256},
                    {"coverage", one.coverage},
                    {"bytes", one.bytes},
                    {"taken_unix_ms", one.taken_unix_ms},
                    {"detail", one.detail}});
  }
  return list;
}

inline Json ToJson(const std::vector<Measure>& measures) {
  Json list = Json::array();
  for (const Measure& measure : measures) {
    list.push_back({{"name", measure.name}, {"subject", measure.subject}, {"value", measure.value}});
  }
  return list;
}

inline Json ToJson(const ProbeResult& result) {
  return {{"holds", result.holds},
          {"summary", result.summary},
          {"observed", result.observed},
          {"evidence", ToJson(result.evidence)},
          {"claims", ToJson(result.claims)},
          {"verdicts", ToJson(result.verdicts)},
          {"measures", ToJson(result.measures)}};
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
          {"claims", ToJson(result.claims)},
          {"verdicts", ToJson(result.verdicts)},
          {"measures", ToJson(result.measures)}};
}

inline Json ToJson(const RollbackResult& result) { return {{"summary", result.summary}}; }

}  // namespace reprise::sdk
