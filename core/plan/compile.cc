#include "core/plan/compile.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/plan_seal.h"
#include "core/model/size_limits.h"
#include "core/plan/gate_names.h"
#include "core/plan/people_check.h"
#include "core/plan/selector_check.h"
#include "core/plan/stage_graph.h"
#include "core/plan/step_compiler.h"
#include "core/plan/waves.h"

namespace reprise::plan {
namespace {

using model::NameOf;
using model::v1::Effect;

constexpr UnixMs kSecond = 1000;
constexpr size_t kNonceSize = 16;

void FillGate(const GateSpec& spec, const std::string& name, v1::Gate& gate) {
  gate.set_name(name);
  gate.set_question(spec.question);
  gate.set_quorum(spec.quorum);
  for (const Placed& approver : spec.approvers) gate.add_approvers(approver.text);
}

void FillBudget(const BudgetSpec& spec, v1::FailureBudget& budget) {
  if (spec.max) budget.set_max_failures(*spec.max);
  if (spec.percent) budget.set_max_percent(*spec.percent);
}

// "12 not_admitted, 3 hold"
std::string CountByCode(const std::vector<LeftOut>& left_out) {
  std::map<std::string, size_t> counts;
  for (const LeftOut& each : left_out) ++counts[each.code];
  return absl::StrJoin(
      counts, ", ", [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.second, " ", entry.first); });
}

class Compiler {
 public:
  Compiler(const CompileRequest& request, Diagnostics& diagnostics)
      : request_(request),
        workflow_(request.workflow),
        inventory_(request.dossier.inventory),
        diagnostics_(diagnostics),
        points_({request.dossier.backups, request.points, request.keyring, request.requester, request.now}, diagnostics),
        steps_(request.workflow, request.parameters, request.catalog, plan_.header, points_, diagnostics),
        labels_(IndexLabels(inventory_)) {}

  std::optional<CompiledPlan> Compile() {
    const size_t errors = diagnostics_.errors();
    if (!CheckRequest()) return std::nullopt;
    FillHeader();
    const auto after = OrderStages(workflow_.stages, diagnostics_);
    for (uint32_t s = 0; s < workflow_.stages.size(); ++s) {
      v1::Stage& stage = *plan_.header.add_stages();
      for (const uint32_t before : after[s]) stage.add_after(before);
      CompileStage(s, stage);
    }
    if (request_.keyring != nullptr) {
      CheckPeople(workflow_, *request_.keyring, request_.requester, plan_.header.effect(), diagnostics_);
    }
    if (diagnostics_.errors() > errors) return std::nullopt;
    if (leaves_.empty()) {
      RefuseEmptyPlan();
      return std::nullopt;
    }
    if (const absl::Status travels = Freeze(); !travels.ok()) {
      diagnostics_.Error(workflow_.place, std::string(travels.message()));
      return std::nullopt;
    }
    return std::move(plan_);
  }

 private:
  bool CheckRequest() {
    const size_t errors = diagnostics_.errors();
    if (!model::IsName(request_.requester)) {
      diagnostics_.Error({}, absl::StrCat("the requester is \"", request_.requester, "\""))
          .Expected("an operator's name");
    }
    if (request_.nonce.size() != kNonceSize) {
      diagnostics_.Error({}, absl::StrCat("the nonce has ", request_.nonce.size(), " bytes"))
          .Expected(absl::StrCat(kNonceSize));
    }
    if (request_.expires_ms != 0 && (request_.expires_ms < kLifeMin || request_.expires_ms > kLifeMax)) {
      diagnostics_.Error({}, absl::StrCat("the plan is to expire after ", FormatDurationMs(request_.expires_ms)))
          .Expected(absl::StrCat("between ", FormatDurationMs(kLifeMin), " and ", FormatDurationMs(kLifeMax)));
    }
    return diagnostics_.errors() == errors;
  }

  void FillHeader() {
    v1::PlanHeader& header = plan_.header;
    header.set_plan_id(absl::StrCat(workflow_.name, "-", ToHex(request_.nonce).substr(0, 8)));
    header.set_workflow(workflow_.name);
    header.set_exercise(request_.exercise);
    header.set_requester(request_.requester);
    header.set_nonce(request_.nonce);
    // Whole seconds, as the statement says them.
    const UnixMs created = request_.now / kSecond * kSecond;
    const int64_t life = request_.expires_ms > 0 ? request_.expires_ms : workflow_.expires_ms;
    header.set_created_ms(created);
    header.set_expires_ms(created + (life + kSecond - 1) / kSecond * kSecond);
    header.set_effect(model::v1::EFFECT_READ);
    header.set_keyring_version(request_.keyring == nullptr ? 0 : request_.keyring->version());
    header.mutable_limits()->set_in_flight_max(workflow_.in_flight);
    header.mutable_limits()->set_per_host_max(std::max(1u, workflow_.per_host));
    if (workflow_.failures) FillBudget(*workflow_.failures, *header.mutable_limits()->mutable_budget());
    for (const auto& [token, amount] : workflow_.capacities) {
      v1::Capacity& capacity = *header.add_capacities();
      capacity.set_token(token);
      capacity.set_amount(amount);
    }
  }

  void CompileStage(uint32_t index, v1::Stage& stage) {
    StageSpec spec = workflow_.stages[index];
    stage.set_name(spec.name);
    stage.set_in_flight_max(spec.in_flight);
    if (spec.failures) FillBudget(*spec.failures, *stage.mutable_wave_budget());
    stage.set_unreachable(spec.unreachable);
    stage.set_unreachable_after_ms(spec.unreachable_after_ms);
    AddRequirements(spec, stage);
    stage.set_repeat_ms(spec.repeat_ms);
    std::vector<StepDraft> drafts;
    for (const StepSpec& step : spec.steps) {
      if (auto draft = steps_.Compile(step)) drafts.push_back(*std::move(draft));
    }
    CheckOrderKeys(spec, labels_, diagnostics_);
    const bool bound = BindSelector(spec, workflow_, request_.parameters, inventory_, labels_, diagnostics_);
    // Without all steps it is not known what the stage does to hosts.
    if (drafts.size() != spec.steps.size()) return;
    CheckRollback(drafts, diagnostics_);
    if (spec.repeat_ms > 0) AllowRepeats(spec, drafts);
    Effect effect = model::v1::EFFECT_READ;
    bool protected_ok = true;
    for (const StepDraft& draft : drafts) {
      effect = std::max(effect, draft.action->effect);
      protected_ok = protected_ok && draft.action->protected_class;
      *stage.add_steps() = draft.step;
    }
    plan_.header.set_effect(std::max(plan_.header.effect(), effect));
    if (!bound) return;

    const model::SigningPolicy* policy = request_.keyring == nullptr ? nullptr : &request_.keyring->policy();
    const Selection selection =
        SelectTargets(spec, inventory_, request_.known, policy, effect, protected_ok, request_.coordinator_asked);
    if (!CheckSelection(spec, selection)) return;
    for (const LeftOut& each : selection.left_out) {
      v1::Exclusion& exclusion = *plan_.annex.add_exclusions();
      exclusion.set_host(each.host->name);
      exclusion.set_stage(index);
      exclusion.set_code(each.code);
      exclusion.set_reason(each.reason);
    }
    if (effect == model::v1::EFFECT_READ && !protected_ok && policy != nullptr) WarnProtected(spec, selection, *policy);
    PlaceHosts(index, spec, selection.targets, drafts, stage);
  }

  void AddRequirements(const StageSpec& spec, v1::Stage& stage) {
    for (const RequirementSpec& each : spec.requirements) {
      if (inventory_.Find(each.host.text) == nullptr) {
        std::vector<std::string> names;
        for (const Host& host : inventory_.hosts) names.push_back(host.name);
        diagnostics_.Error(each.host.place, absl::StrCat("there is no host \"", each.host.text, "\""))
            .Expected("a host of the inventory, of which the claim must hold")
            .Nearest(each.host.text, names);
      }
      v1::Requirement& requirement = *stage.add_requirements();
      requirement.set_claim(each.claim.text);
      requirement.set_host(each.host.text);
      requirement.set_within_ms(each.within_ms);
    }
  }

  // As many attempts as it will be done in the plan's life; agents enforce it.
  void AllowRepeats(const StageSpec& spec, std::vector<StepDraft>& drafts) {
    const int64_t life = plan_.header.expires_ms() - plan_.header.created_ms();
    for (StepDraft& draft : drafts) {
      if (draft.action->effect > model::v1::EFFECT_READ) {
        diagnostics_.Error(spec.repeat_place, absl::StrCat("stage ", spec.name, " is to be repeated, and its step ",
                                                           draft.spec->name, " does more than read"))
            .Expected("repeat: only where every step reads");
        return;
      }
      const auto rounds = static_cast<uint32_t>(life / spec.repeat_ms + 1);
      draft.step.set_attempts_max(draft.step.attempts_max() + rounds * (draft.spec->retries + 1));
    }
  }

  bool CheckSelection(const StageSpec& spec, const Selection& selection) {
    if (spec.optional || !selection.targets.empty()) return true;
    const size_t left_out = selection.left_out.size();
    if (left_out == 0) {
      diagnostics_.Error(spec.targets.place, absl::StrCat("the targets of stage ", spec.name, " select no host"))
          .Expected("at least one host, or optional: true");
    } else {
      diagnostics_
          .Error(spec.targets.place,
                 absl::StrCat("stage ", spec.name, " would touch nobody: all ", left_out,
                              " host(s) that it selects are left out: ", CountByCode(selection.left_out)))
          .Expected("at least one host, or optional: true")
          .Hint(absl::StrCat(selection.left_out.front().host->name, ": ", selection.left_out.front().reason));
    }
    return false;
  }

  void WarnProtected(const StageSpec& spec, const Selection& selection, const model::SigningPolicy& policy) {
    std::vector<std::string> names;
    for (const Target& target : selection.targets) {
      if (policy.Protects(target.asset_class)) names.push_back(target.host->name);
    }
    if (names.empty()) return;
    diagnostics_
        .Warning(spec.targets.place,
                 absl::StrCat("stage ", spec.name, " reads on ", names.size(), " host(s) of a protected class, ",
                              names.front(), " first, by actions that are not made for them"))
        .Hint("leave them out unless the maker of the device agrees");
  }

  // The hosts into waves, and each host's own parameters into its part.
  void PlaceHosts(uint32_t index, const StageSpec& spec, const std::vector<Target>& targets,
                  std::vector<StepDraft>& drafts, v1::Stage& stage) {
    const auto sizes = WaveSizes(spec.waves, static_cast<uint32_t>(targets.size()));
    if (!sizes.ok()) {
      diagnostics_.Error(spec.waves.place, std::string(sizes.status().message()))
          .Expected("larger sizes, or a percentage");
      return;
    }
    AddWaves(spec, *sizes, stage);
    if (targets.empty()) return;
    if (spec.gate) AddGate(*spec.gate, StageGateName(spec), *stage.mutable_gate());
    if (spec.waves.gate && sizes->size() == 1) {
      diagnostics_.Warning(spec.waves.gate->place, absl::StrCat("all ", targets.size(), " host(s) of stage ", spec.name,
                                                                " are in its first wave: this gate is never asked"));
    }
    std::vector<std::vector<std::string>> own;
    for (StepDraft& draft : drafts) {
      own.push_back(steps_.ParamsOf(draft, targets));
      // Some hosts lack what they should say, which has been reported.
      if (!own.back().empty() && own.back().size() != targets.size()) return;
    }
    const std::vector<uint32_t> order = WaveOrder(spec.waves, targets);
    uint32_t wave = 0;
    uint32_t in_wave = 0;
    for (const uint32_t place : order) {
      if (in_wave == (*sizes)[wave]) {
        ++wave;
        in_wave = 0;
      }
      ++in_wave;
      v1::Placement& placement = *LeafOf(targets[place]).add_placements();
      placement.set_stage(index);
      placement.set_wave(wave);
      for (uint32_t step = 0; step < own.size(); ++step) {
        if (own[step].empty()) continue;
        v1::StepParams& params = *placement.add_overrides();
        params.set_step(step);
        params.set_params_json(std::move(own[step][place]));
      }
    }
  }

  void AddWaves(const StageSpec& spec, const std::vector<uint32_t>& sizes, v1::Stage& stage) {
    for (uint32_t w = 0; w < sizes.size(); ++w) {
      v1::Wave& wave = *stage.add_waves();
      wave.set_name(WaveName(spec.waves, w));
      wave.set_host_count(sizes[w]);
      if (HasGateBefore(spec, w)) AddGate(*spec.waves.gate, WaveGateName(spec, w), *wave.mutable_gate());
    }
  }

  // How many waves there are is known only here, and with it the names of gates before each.
  void AddGate(const GateSpec& spec, const std::string& name, v1::Gate& gate) {
    if (!gates_.insert(name).second) {
      diagnostics_.Error(spec.place, absl::StrCat("a second gate is called ", name))
          .Expected("a name of its own for every gate");
    }
    FillGate(spec, name, gate);
  }

  v1::HostLeaf& LeafOf(const Target& target) {
    const auto [found, is_new] = leaves_.try_emplace(target.host->name);
    v1::HostLeaf& leaf = found->second;
    if (!is_new) return leaf;
    leaf.set_nonce(request_.nonce);
    leaf.set_host(target.host->name);
    leaf.set_zone(target.zone);
    leaf.set_asset_class(target.asset_class);
    if (request_.coordinator_asked && !target.connected) offline_[target.host->name] = target.last_contact;
    return leaf;
  }

  // Only where every stage is optional.
  void RefuseEmptyPlan() {
    std::map<std::string, std::set<std::string>> hosts_of_code;
    for (const v1::Exclusion& exclusion : plan_.annex.exclusions())
      hosts_of_code[exclusion.code()].insert(exclusion.host());
    if (hosts_of_code.empty()) {
      diagnostics_.Error(workflow_.place, absl::StrCat("workflow ", workflow_.name, " selects no host at all"))
          .Expected("at least one host");
      return;
    }
    std::vector<std::string> counts;
    for (const auto& [code, hosts] : hosts_of_code) counts.push_back(absl::StrCat(hosts.size(), " ", code));
    const v1::Exclusion& first = plan_.annex.exclusions(0);
    diagnostics_
        .Error(workflow_.place, absl::StrCat("every host that workflow ", workflow_.name,
                                             " selects is left out: ", absl::StrJoin(counts, ", ")))
        .Expected("at least one host that the plan may touch")
        .Hint(absl::StrCat(first.host(), ": ", first.reason()));
  }

  // Agents take a plan that nobody signed only with a near end: what only reads gets one, unless somebody asks for more,
  // and then signs it.
  void EndSoonWhatOnlyReads() {
    v1::PlanHeader& header = plan_.header;
    if (header.effect() != model::v1::EFFECT_READ || request_.expires_ms > 0) return;
    header.set_expires_ms(std::min(header.expires_ms(), header.created_ms() + kUnsignedLife));
  }

  // An error: it could not be sent to a host.
  absl::Status Freeze() {
    EndSoonWhatOnlyReads();
    v1::PlanBundle& bundle = plan_.bundle;
    plan_.annex.set_inventory_hosts(static_cast<uint32_t>(inventory_.hosts.size()));
    for (const ParameterSpec& spec : workflow_.parameters) {
      const auto value = request_.parameters.find(spec.name);
      if (value == request_.parameters.end() || spec.secret) continue;
      v1::Parameter& parameter = *plan_.annex.add_parameters();
      parameter.set_name(spec.name);
      parameter.set_value_json(value->second.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    bundle.set_annex(plan_.annex.SerializeAsString());
    plan_.header.set_annex_sha256(crypto::Sha256(bundle.annex()));
    bundle.set_header(plan_.header.SerializeAsString());
    std::vector<std::string> bytes;
    bytes.reserve(leaves_.size());
    plan_.leaves.reserve(leaves_.size());
    for (auto& [host, leaf] : leaves_) {
      bytes.push_back(leaf.SerializeAsString());
      plan_.leaves.push_back(std::move(leaf));
    }
    leaves_.clear();
    for (const auto& [host, last_contact] : offline_) plan_.offline.push_back({host, last_contact});

    plan_.statement = model::StatementOf(plan_.header, bundle.header(), bytes);
    bundle.set_statement(plan_.statement.Write().Bytes());
    absl::Status travels = model::CheckPlanTravels(bundle.statement().size(), plan_.header, bundle.header().size(),
                                                   plan_.leaves, bytes);
    for (std::string& leaf : bytes) bundle.add_leaves(std::move(leaf));
    return travels;
  }

  const CompileRequest& request_;
  const Workflow& workflow_;
  const Inventory& inventory_;
  Diagnostics& diagnostics_;
  CompiledPlan plan_;
  RecoveryPoints points_;
  StepCompiler steps_;
  const LabelIndex labels_;
  std::map<std::string, v1::HostLeaf> leaves_;
  std::map<std::string, UnixMs> offline_;
  std::set<std::string> gates_;
};

}  // namespace

std::optional<CompiledPlan> Compile(CompileRequest request, Diagnostics& diagnostics) {
  return Compiler(request, diagnostics).Compile();
}

}  // namespace reprise::plan
