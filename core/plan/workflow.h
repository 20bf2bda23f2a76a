// A workflow as its document says it: stages in a graph, each with targets, waves, gates and steps. Names are not yet
// looked up in anything outside the document; compile.h does that.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/names.h"
#include "core/plan/diagnostics.h"
#include "core/plan/fields.h"
#include "core/plan/node.h"
#include "core/plan/selector.h"

namespace reprise::plan {

// How long a plan may be used.
constexpr int64_t kLifeMin = 60'000, kLifeMax = int64_t{30} * 86'400'000;

enum class ParameterType { kString, kInteger, kNumber, kBoolean, kDuration, kList };

struct ParameterSpec {
  std::string name;
  Place place;
  ParameterType type = ParameterType::kString;
  std::string description;
  bool required = false;
  bool secret = false;               // Never shown.
  std::optional<Json> default_value; // Of its type.
  std::vector<Json> choices;         // `enum:`; empty: any.
};

struct GateSpec {
  std::string name;                // Empty: made from the stage's and the wave's.
  Place place;
  std::string question;
  std::vector<Placed> approvers;   // Empty: any.
  uint32_t quorum = 1;
};

struct BudgetSpec {
  std::optional<uint32_t> max;
  std::optional<uint32_t> percent;
};

// A size of a wave.
struct Amount {
  enum class Kind { kHosts, kPercent, kRest };
  Kind kind = Kind::kRest;
  uint32_t value = 0;
};

struct OrderKey {
  enum class Kind { kName, kZone, kClass, kLabel };
  Kind kind = Kind::kName;
  std::string label;
  Place place;
};

struct WavesSpec {
  Place place;
  std::optional<Amount> canary;
  std::vector<Amount> sizes;       // The last repeats. Empty: the rest.
  std::optional<GateSpec> gate;    // Before wave 1, when there is a canary.
  bool gate_each = false;          // The same before every further wave.
  std::vector<OrderKey> order;     // Empty: the inventory's.
};

struct TokenSpec {
  std::string token;
  uint32_t amount = 0;
  Place place;
};

struct StepSpec {
  std::string name;
  Place place;
  std::string plugin;
  std::string action;
  Place uses_place;
  std::optional<Node> with;
  std::vector<Placed> artifacts;   // Names or globs.
  std::optional<int64_t> timeout_ms;
  uint32_t retries = 0;
  int64_t backoff_ms = 5'000;
  int64_t backoff_max_ms = 60'000;
  model::v1::OnFailure on_failure = model::v1::ON_FAILURE_STOP;
  Place on_failure_place;
  std::vector<TokenSpec> tokens;
  std::optional<Node> restores;    // "SET/POINT" of an action that restores.
};

// A claim that must hold before the stage begins, and be no older than `within_ms` whenever one of its tasks is sent.
struct RequirementSpec {
  Placed claim;
  Placed host;
  int64_t within_ms = 0;
};

struct AllowSpec {
  std::vector<model::v1::Zone> zones;            // Empty: all.
  std::vector<model::v1::TrustState> trust;      // Empty: all.
  std::vector<model::v1::AssetClass> classes;    // Empty: all.
};

struct StageSpec {
  std::string name;
  Place place;
  std::vector<Placed> after;
  Placed targets;                  // The selector's text.
  Selector selector;
  bool optional = false;           // May select no host.
  AllowSpec allow;
  std::optional<GateSpec> gate;
  WavesSpec waves;
  bool has_waves = false;
  uint32_t in_flight = 0;          // 0: no limit.
  std::optional<BudgetSpec> failures;
  model::v1::Unreachable unreachable = model::v1::UNREACHABLE_DEFER;
  int64_t unreachable_after_ms = 60'000;
  std::vector<StepSpec> steps;
  std::vector<RequirementSpec> requirements;
  int64_t repeat_ms = 0;           // 0: once.
  Place repeat_place;
};

struct Workflow {
  std::string name;
  std::string title;
  Place place;
  std::vector<ParameterSpec> parameters;
  int64_t expires_ms = 24 * 3'600'000;  // Between kLifeMin and kLifeMax.
  uint32_t in_flight = 0;          // Over all stages; 0: no limit.
  uint32_t per_host = 1;
  std::optional<BudgetSpec> failures;
  std::map<std::string, uint32_t> capacities;
  std::vector<StageSpec> stages;

  const ParameterSpec* FindParameter(std::string_view parameter) const;
};

// What a place inside a scalar's text is in the source: for a selector that stands on one line, the very characters.
Place PlaceInside(const Placed& scalar, size_t offset, size_t length, const Diagnostics& diagnostics);

// The fields of a Workflow document beside apiVersion, kind and metadata, which `fields` has already read.
// What is wrong is reported; the rest is still read.
Workflow ReadWorkflow(Fields& fields, Diagnostics& diagnostics);

}  // namespace reprise::plan
