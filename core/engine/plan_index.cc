#include "core/engine/plan_index.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/sha256.h"
#include "core/model/names.h"

namespace reprise::engine {
namespace {

using plan::v1::HostLeaf;
using plan::v1::PlanHeader;
using plan::v1::Stage;
using plan::v1::Step;

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("the plan does not hold together: ", parts...));
}

absl::Status CheckStep(const PlanHeader& header, const Stage& stage, const Step& step) {
  const std::string name = absl::StrCat("step ", step.name(), " of stage ", stage.name());
  if (step.plugin() >= static_cast<uint32_t>(header.plugins_size())) {
    return Wrong(name, " names plugin ", step.plugin(), " of ", header.plugins_size());
  }
  for (const uint32_t artifact : step.artifacts()) {
    if (artifact >= static_cast<uint32_t>(header.artifacts_size())) {
      return Wrong(name, " names artifact ", artifact, " of ", header.artifacts_size());
    }
  }
  if (step.effect() == model::v1::EFFECT_UNSPECIFIED) return Wrong(name, " does not say what its effect is");
  if (step.timeout_ms() <= 0) return Wrong(name, " has no timeout");
  if (step.backoff_ms() < 0 || step.backoff_max_ms() < 0) return Wrong(name, " waits less than nothing");
  for (const auto& token : step.tokens()) {
    const plan::v1::Capacity* capacity = nullptr;
    for (const auto& known : header.capacities()) {
      if (known.token() == token.token()) capacity = &known;
    }
    if (capacity == nullptr) return Wrong(name, " needs the token ", token.token(), ", whose capacity is not given");
    if (token.amount() > capacity->amount()) {
      return Wrong(name, " needs ", token.amount(), " of the token ", token.token(), "; there are only ",
                   capacity->amount());
    }
  }
  return absl::OkStatus();
}

// Stages may stand in any order, but not wait for each other in a circle.
absl::Status CheckOrder(const PlanHeader& header) {
  const size_t count = static_cast<size_t>(header.stages_size());
  std::vector<bool> placed(count, false);
  for (size_t left = count; left > 0;) {
    const size_t before = left;
    for (size_t i = 0; i < count; ++i) {
      if (placed[i]) continue;
      bool free = true;
      for (const uint32_t after : header.stages(static_cast<int>(i)).after()) free = free && placed[after];
      if (!free) continue;
      placed[i] = true;
      left -= 1;
    }
    if (left < before) continue;
    for (size_t i = 0; i < count; ++i) {
      if (!placed[i]) {
        return Wrong("stage ", header.stages(static_cast<int>(i)).name(), " waits for itself, by way of others");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const PlanHeader& header) {
  std::set<std::string> gates;
  const auto new_gate = [&gates](const plan::v1::Gate& gate) -> absl::Status {
    if (gate.name().empty()) return Wrong("a gate has no name");
    if (!gates.insert(gate.name()).second) return Wrong("two gates are called ", gate.name());
    return absl::OkStatus();
  };
  for (const auto& plugin : header.plugins()) {
    if (plugin.sha256().size() != crypto::kSha256Size) return Wrong("the hash of plugin ", plugin.name(), " is none");
  }
  for (const auto& artifact : header.artifacts()) {
    if (artifact.sha256().size() != crypto::kSha256Size) {
      return Wrong("the hash of artifact ", artifact.name(), " is none");
    }
  }
  if (header.stages().empty()) return Wrong("it has no stage");
  for (const Stage& stage : header.stages()) {
    for (const uint32_t after : stage.after()) {
      if (after >= static_cast<uint32_t>(header.stages_size())) {
        return Wrong("stage ", stage.name(), " comes after stage ", after, " of ", header.stages_size());
      }
    }
    if (stage.waves().empty()) return Wrong("stage ", stage.name(), " has no wave");
    if (stage.steps().empty()) return Wrong("stage ", stage.name(), " has no step");
    if (stage.unreachable_after_ms() < 0) return Wrong("stage ", stage.name(), " waits less than nothing");
    if (stage.repeat_ms() < 0) return Wrong("stage ", stage.name(), " is repeated after less than nothing");
    for (const Step& step : stage.steps()) {
      if (stage.repeat_ms() > 0 && step.effect() > model::v1::EFFECT_READ) {
        return Wrong("stage ", stage.name(), " is repeated, and its step ", step.name(), " does more than read");
      }
    }
    if (stage.has_gate()) RETURN_IF_ERROR(new_gate(stage.gate()));
    for (const auto& wave : stage.waves()) {
      if (wave.has_gate()) RETURN_IF_ERROR(new_gate(wave.gate()));
    }
    for (const Step& step : stage.steps()) RETURN_IF_ERROR(CheckStep(header, stage, step));
  }
  return CheckOrder(header);
}

absl::Status CheckLeaf(const PlanHeader& header, const HostLeaf& leaf,
                       std::vector<std::vector<uint32_t>>& hosts_of_wave) {
  if (!model::IsName(leaf.host())) return Wrong("\"", leaf.host(), "\" is no name of a host");
  if (leaf.nonce() != header.nonce()) return Wrong("the part of ", leaf.host(), " has another nonce");
  std::set<uint32_t> stages;
  for (const auto& placement : leaf.placements()) {
    if (placement.stage() >= static_cast<uint32_t>(header.stages_size()) ||
        placement.wave() >= hosts_of_wave[placement.stage()].size()) {
      return Wrong(leaf.host(), " is placed in wave ", placement.wave(), " of stage ", placement.stage(),
                   ", which the plan does not have");
    }
    if (!stages.insert(placement.stage()).second) return Wrong(leaf.host(), " is placed twice in one stage");
    hosts_of_wave[placement.stage()][placement.wave()] += 1;
    for (const auto& own : placement.overrides()) {
      if (own.step() >= static_cast<uint32_t>(header.stages(static_cast<int>(placement.stage())).steps_size())) {
        return Wrong(leaf.host(), " has parameters for step ", own.step(), ", which its stage does not have");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PlanIndex> PlanIndex::Read(const plan::v1::PlanBundle& bundle) {
  auto statement = model::PlanStatement::Read(bundle.statement());
  if (!statement.ok()) return statement.status();
  PlanIndex index{
      .statement = *std::move(statement),
      .header = {},
      .annex = {},
      .leaves = {},
      .leaf_bytes = {bundle.leaves().begin(), bundle.leaves().end()},
      .header_bytes = bundle.header(),
      .statement_bytes = bundle.statement(),
      .leaf_of_host = {},
      .tree = crypto::MerkleTree(bundle.leaves().empty()
                                     ? std::vector<std::string>{""}
                                     : std::vector<std::string>(bundle.leaves().begin(), bundle.leaves().end()))};
  if (index.leaf_bytes.empty()) return Wrong("it has no host");
  if (crypto::Sha256(bundle.header()) != index.statement.header_sha256) {
    return Wrong("its header is not the one whose hash stands in the statement");
  }
  if (!index.header.ParseFromString(bundle.header())) return Wrong("its header cannot be read");
  const PlanHeader& header = index.header;
  if (header.plan_id() != index.statement.plan_id) return Wrong("statement and header name different plans");
  if (crypto::Sha256(bundle.annex()) != header.annex_sha256() || !index.annex.ParseFromString(bundle.annex())) {
    return Wrong("its annex is not the one whose hash stands in the header");
  }
  RETURN_IF_ERROR(CheckHeader(header));
  if (index.statement.hosts != index.leaf_bytes.size()) {
    return Wrong("the statement says ", index.statement.hosts, " hosts, and there are ", index.leaf_bytes.size());
  }
  if (index.tree.Root() != index.statement.merkle_root) {
    return Wrong("the hosts' parts are not those whose root stands in the statement");
  }
  std::vector<std::vector<uint32_t>> hosts_of_wave;
  for (const Stage& stage : header.stages()) hosts_of_wave.emplace_back(stage.waves_size(), 0);
  index.leaves.reserve(index.leaf_bytes.size());
  for (const std::string& bytes : index.leaf_bytes) {
    HostLeaf& leaf = index.leaves.emplace_back();
    if (!leaf.ParseFromString(bytes)) return Wrong("a host's part cannot be read");
    RETURN_IF_ERROR(CheckLeaf(header, leaf, hosts_of_wave));
    if (!index.leaf_of_host.emplace(leaf.host(), static_cast<uint32_t>(index.leaves.size() - 1)).second) {
      return Wrong(leaf.host(), " stands in it twice");
    }
  }
  for (int s = 0; s < header.stages_size(); ++s) {
    for (int w = 0; w < header.stages(s).waves_size(); ++w) {
      const uint32_t said = header.stages(s).waves(w).host_count();
      const uint32_t found = hosts_of_wave[static_cast<size_t>(s)][static_cast<size_t>(w)];
      if (said != found) {
        return Wrong("wave ", header.stages(s).waves(w).name(), " of stage ", header.stages(s).name(), " says ", said,
                     " hosts, and ", found, " are placed in it");
      }
    }
  }
  return index;
}

plan::v1::PlanAuthority PlanIndex::AuthorityFor(uint32_t host,
                                                const std::vector<plan::v1::Signature>& signatures) const {
  plan::v1::PlanAuthority authority;
  authority.mutable_plan()->set_statement(statement_bytes);
  for (const auto& signature : signatures) *authority.mutable_plan()->add_signatures() = signature;
  authority.set_header(header_bytes);
  authority.set_leaf(leaf_bytes[host]);
  authority.set_leaf_index(host);
  authority.set_leaf_count(static_cast<uint32_t>(leaf_bytes.size()));
  for (const std::string& sibling : tree.Proof(host)) authority.add_proof(sibling);
  return authority;
}

}  // namespace reprise::engine
