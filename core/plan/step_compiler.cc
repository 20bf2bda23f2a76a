#include "core/plan/step_compiler.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/model/restoring.h"

namespace reprise::plan {
namespace {

// How often people may try a failed host again, each time with all retries, before a new plan must be made. Agents
// enforce the product: a stolen coordinator cannot repeat a step for ever.
constexpr uint32_t kRoundsMax = 10;

std::string ToText(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const ActionSpec* StepCompiler::FindAction(const StepSpec& spec, const PluginSpec** found) {
  const PluginSpec* plugin = catalog_.Find(spec.plugin);
  if (plugin == nullptr) {
    std::vector<std::string> names = catalog_.PluginNames();
    Finding& finding = diagnostics_.Error(spec.uses_place, absl::StrCat("there is no plugin \"", spec.plugin, "\""));
    finding.ExpectedOneOf(names).Nearest(spec.plugin, names);
    if (names.empty()) finding.Hint("no plugin is in the store: `reprise plugin add`");
    return nullptr;
  }
  const ActionSpec* action = plugin->Find(spec.action);
  if (action == nullptr) {
    diagnostics_
        .Error(spec.uses_place,
               absl::StrCat("the plugin ", plugin->name, " ", plugin->version, " has no action \"", spec.action, "\""))
        .ExpectedOneOf(plugin->ActionNames())
        .Nearest(spec.action, plugin->ActionNames());
  }
  *found = plugin;
  return action;
}

uint32_t StepCompiler::PluginIndex(const PluginSpec& plugin) {
  for (int i = 0; i < header_.plugins_size(); ++i) {
    if (header_.plugins(i).name() == plugin.name) return static_cast<uint32_t>(i);
  }
  v1::PluginRef& ref = *header_.add_plugins();
  ref.set_name(plugin.name);
  ref.set_version(plugin.version);
  ref.set_sha256(plugin.sha256);
  return static_cast<uint32_t>(header_.plugins_size() - 1);
}

std::optional<Placed> StepCompiler::Filled(const Node& said, const char* expected) {
  Node wrapped;
  wrapped.kind = Node::Kind::kMap;
  wrapped.place = said.place;
  wrapped.entries.push_back({.key = "said", .key_place = said.place, .value = said});
  const size_t errors = diagnostics_.errors();
  const Template filled = Template::Read(&wrapped, workflow_, values_, diagnostics_);
  if (diagnostics_.errors() > errors) return std::nullopt;
  const Json& value = filled.params().at("said");
  if (!filled.names_host() && value.is_string()) return Placed{.text = value.get<std::string>(), .place = said.place};
  diagnostics_.Error(said.place, absl::StrCat(said.Describe(), " stands here")).Expected(expected);
  return std::nullopt;
}

void StepCompiler::AddArtifacts(const StepSpec& spec, v1::Step& step) {
  std::set<uint32_t> indexes;
  for (const Placed& written : spec.artifacts) {
    Node said;
    said.kind = Node::Kind::kScalar;
    said.quoted = true;
    said.text = written.text;
    said.place = written.place;
    const auto filled = Filled(said, "a file's name or pattern, the same for all hosts");
    if (!filled) continue;
    const Placed& pattern = *filled;
    bool found = false;
    for (const v1::ArtifactRef& artifact : catalog_.artifacts) {
      if (fnmatch(pattern.text.c_str(), artifact.name().c_str(), FNM_NOESCAPE) != 0) continue;
      found = true;
      const auto known = std::find_if(header_.artifacts().begin(), header_.artifacts().end(),
                                      [&](const v1::ArtifactRef& other) { return other.name() == artifact.name(); });
      indexes.insert(static_cast<uint32_t>(known - header_.artifacts().begin()));
      if (known == header_.artifacts().end()) *header_.add_artifacts() = artifact;
    }
    if (found) continue;
    std::vector<std::string> names;
    for (const v1::ArtifactRef& artifact : catalog_.artifacts) names.push_back(artifact.name());
    const bool glob = pattern.text.find_first_of("*?[") != std::string::npos;
    diagnostics_
        .Error(pattern.place, glob ? absl::StrCat("no artifact is called like \"", pattern.text, "\"")
                                   : absl::StrCat("there is no artifact \"", pattern.text, "\""))
        .ExpectedOneOf(names)
        .Nearest(pattern.text, names)
        .Hint(names.empty() ? "no artifact is in the store: `reprise artifact add`" : "");
  }
  for (const uint32_t index : indexes) step.add_artifacts(index);
}

void StepCompiler::AddRecoveryPoint(const StepSpec& spec, StepDraft& draft) {
  const std::string uses = absl::StrCat(spec.plugin, ".", spec.action);
  if (!draft.action->restores) {
    if (!spec.restores) return;
    diagnostics_.Error(spec.restores->place, absl::StrCat(uses, " restores nothing, and the step names a copy"))
        .Expected("restores: only beside an action that restores");
    return;
  }
  if (!spec.restores) {
    diagnostics_.Error(spec.uses_place, absl::StrCat(uses, " restores data, and the step does not say from which copy"))
        .Expected("restores: SET/POINT")
        .Hint("what was judged, and how: `reprise backup ls`");
    return;
  }
  if (draft.params.params().contains(model::kManifestParam)) {
    diagnostics_.Error(spec.place, absl::StrCat("with of step ", spec.name, " says ", model::kManifestParam))
        .Expected("nothing: it is that of the copy which the step names");
    return;
  }
  const auto copy = Filled(*spec.restores, "SET/POINT, the same for all hosts");
  if (!copy) return;
  auto point = points_.Choose(*copy);
  if (!point) return;
  draft.params.Put(model::kManifestParam, ToHex(point->manifest_sha256()));
  *draft.step.mutable_recovery_point() = *std::move(point);
}

std::optional<StepDraft> StepCompiler::Compile(const StepSpec& spec) {
  const size_t errors = diagnostics_.errors();
  const PluginSpec* plugin = nullptr;
  StepDraft draft;
  draft.spec = &spec;
  draft.action = FindAction(spec, &plugin);
  const Node* with = spec.with ? &*spec.with : nullptr;
  draft.params = Template::Read(with, workflow_, values_, diagnostics_);
  v1::Step& step = draft.step;
  AddArtifacts(spec, step);
  if (draft.action == nullptr) return std::nullopt;

  const ActionSpec& action = *draft.action;
  AddRecoveryPoint(spec, draft);
  step.set_name(spec.name);
  step.set_plugin(PluginIndex(*plugin));
  step.set_action(action.name);
  step.set_params_json(ToText(draft.params.params()));
  step.set_effect(action.effect);
  step.set_undoable(action.undoable);
  step.set_timeout_ms(spec.timeout_ms.value_or(action.timeout_ms));
  step.set_retries(spec.retries);
  step.set_backoff_ms(spec.backoff_ms);
  step.set_backoff_max_ms(spec.backoff_max_ms);
  step.set_on_failure(spec.on_failure);
  step.set_attempts_max((spec.retries + 1) * kRoundsMax);
  for (const TokenSpec& token : spec.tokens) {
    v1::Capacity& capacity = *step.add_tokens();
    capacity.set_token(token.token);
    capacity.set_amount(token.amount);
  }
  auto check = SchemaCheck::Make(action.params_schema);
  if (!check.ok()) {
    diagnostics_
        .Error(spec.uses_place,
               absl::StrCat("the action's parameters have no valid schema: ", std::string(check.status().message())))
        .Hint("this is the plugin's fault: `reprise plugin verify`");
    return std::nullopt;
  }
  draft.check = *std::move(check);
  if (diagnostics_.errors() > errors) return std::nullopt;
  if (!draft.params.names_host()) draft.check->Check(draft.params.params(), with, spec.place, "", &diagnostics_);
  return draft;
}

std::vector<std::string> StepCompiler::ParamsOf(StepDraft& draft, const std::vector<Target>& targets) {
  std::vector<std::string> texts;
  if (!draft.params.names_host()) return texts;
  struct Lacking {
    Place place;
    std::string first;
    size_t hosts = 0;
  };
  std::map<std::string, Lacking> lacking;
  const Host* refused = nullptr;
  size_t refusals = 0;
  texts.reserve(targets.size());
  for (const Target& target : targets) {
    const Host& host = *target.host;
    const auto lacks = draft.params.Missing(host);
    for (const Template::Lack& lack : lacks) {
      Lacking& entry = lacking[lack.reference];
      if (entry.hosts++ > 0) continue;
      entry.place = lack.place;
      entry.first = host.name;
    }
    if (!lacks.empty()) continue;
    const Json params = draft.params.For(host);
    if (!draft.check->Check(params, nullptr, draft.spec->place, "", nullptr)) {
      if (refusals++ == 0) refused = &host;
    }
    texts.push_back(ToText(params));
  }
  for (const auto& [reference, entry] : lacking) {
    const std::string more = entry.hosts > 1 ? absl::StrCat(" and ", entry.hosts - 1, " more") : "";
    diagnostics_
        .Error(entry.place, absl::StrCat(entry.first, more, entry.hosts > 1 ? " have" : " has", " no ", reference))
        .Expected("a value for every host of the stage")
        .Hint("give it in the inventory, or leave these hosts out of the stage's targets");
  }
  if (refused != nullptr) {
    const std::string whose = refusals > 1 ? absl::StrCat(" for host ", refused->name, " and ", refusals - 1, " more")
                                           : absl::StrCat(" for host ", refused->name);
    draft.check->Check(draft.params.For(*refused), &*draft.spec->with, draft.spec->place, whose, &diagnostics_);
  }
  return texts;
}

void CheckRollback(const std::vector<StepDraft>& steps, Diagnostics& diagnostics) {
  std::vector<std::string> stays;
  size_t undone = 0;
  for (const StepDraft& draft : steps) {
    if (draft.action->effect > model::v1::EFFECT_READ) {
      if (draft.action->undoable) {
        ++undone;
      } else {
        stays.push_back(draft.spec->name);
      }
    }
    if (draft.spec->on_failure != model::v1::ON_FAILURE_ROLLBACK) continue;
    const std::string what = absl::StrCat("on_failure of step ", draft.spec->name, " is rollback, and ");
    if (undone == 0) {
      diagnostics
          .Error(
              draft.spec->on_failure_place,
              absl::StrCat(what, stays.empty() ? "nothing has been changed by then"
                                               : absl::StrCat("nothing can be undone: ", absl::StrJoin(stays, ", "))))
          .Expected("stop or continue");
    } else if (!stays.empty()) {
      diagnostics.Warning(draft.spec->on_failure_place,
                          absl::StrCat(what, "what ", absl::StrJoin(stays, ", "), " did cannot be undone and stays"));
    }
  }
}

}  // namespace reprise::plan
