#include "core/plan/stage_reader.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"

namespace reprise::plan {
namespace {

constexpr uint32_t kManyMax = 1'000'000;
constexpr uint32_t kRetriesMax = 100;
constexpr int64_t kSecond = 1'000;
constexpr int64_t kDay = 86'400'000;
constexpr char kAmountExpected[] = "a number of hosts, a percentage such as 10%, or rest";

std::optional<Amount> ReadAmount(const Node& node, std::string_view what, bool rest_allowed, Diagnostics& diagnostics) {
  if (rest_allowed && node.text == "rest") return Amount{};
  std::string_view text = node.text;
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > kManyMax) {
      value = 0;
      break;
    }
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  const uint32_t most = percent ? 100 : kManyMax;
  if (node.kind == Node::Kind::kScalar && value >= 1 && value <= most) {
    return Amount{.kind = percent ? Amount::Kind::kPercent : Amount::Kind::kHosts, .value = value};
  }
  diagnostics.Error(node.place, absl::StrCat(std::string(what), " is ", node.Describe()))
      .Expected(rest_allowed ? kAmountExpected : "a number of hosts from 1 up, or a percentage from 1% to 100%");
  return std::nullopt;
}

std::optional<OrderKey> ReadOrderKey(const Placed& text, Diagnostics& diagnostics) {
  OrderKey key{.kind = OrderKey::Kind::kName, .label = {}, .place = text.place};
  constexpr std::string_view kLabels = "labels.";
  if (text.text == "name") return key;
  if (text.text == "zone") return key.kind = OrderKey::Kind::kZone, key;
  if (text.text == "class") return key.kind = OrderKey::Kind::kClass, key;
  if (text.text.starts_with(kLabels) && text.text.size() > kLabels.size()) {
    key.kind = OrderKey::Kind::kLabel;
    key.label = text.text.substr(kLabels.size());
    return key;
  }
  const std::vector<std::string> known = {"name", "zone", "class", "labels.<key>"};
  diagnostics.Error(text.place, absl::StrCat("order is \"", text.text, "\"")).ExpectedOneOf(known).Nearest(text.text, known);
  return std::nullopt;
}

// What stands on an air-gapped screen when people decide: one plain line.
std::string PlainLine(const Placed& text, std::string_view what, Diagnostics& diagnostics) {
  constexpr size_t kBytesMax = 500;
  if (text.text.size() > kBytesMax || crypto::FindUnplain(text.text) != std::string_view::npos) {
    diagnostics.Error(text.place, absl::StrCat("the ", std::string(what), " is too long or holds control characters"))
        .Expected(absl::StrCat("one line of at most ", kBytesMax, " bytes"));
    return {};
  }
  return text.text;
}

}  // namespace

BudgetSpec ReadBudget(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "failures", diagnostics);
  BudgetSpec budget{.max = fields.Count("max", 0, kManyMax), .percent = fields.Count("percent", 0, 100)};
  fields.Done();
  if (node.kind == Node::Kind::kMap && node.Find("max") == nullptr && node.Find("percent") == nullptr) {
    diagnostics.Error(node.place, "failures says neither max nor percent").Expected("max, percent, or both");
  }
  return budget;
}

std::vector<TokenSpec> ReadTokens(const Node& node, const std::string& what, Diagnostics& diagnostics) {
  std::vector<TokenSpec> tokens;
  if (node.kind != Node::Kind::kMap) {
    diagnostics.Error(node.place, absl::StrCat(what, " is ", node.Describe())).Expected("a map such as {backup-server: 2}");
    return tokens;
  }
  for (const NodeEntry& entry : node.entries) {
    if (!model::IsName(entry.key)) {
      diagnostics.Error(entry.key_place, absl::StrCat("the token is called \"", entry.key, "\""))
          .Expected("a-z, 0-9, '-' and '.', at most 64, beginning with a letter or digit");
      continue;
    }
    if (const auto amount = ReadCount(entry.value, entry.key, 1, kManyMax, diagnostics)) {
      tokens.push_back({.token = entry.key, .amount = *amount, .place = entry.key_place});
    }
  }
  return tokens;
}

GateSpec ReadGate(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "gate", diagnostics);
  GateSpec gate;
  gate.place = node.place;
  gate.name = fields.Name("name").text;
  gate.question = PlainLine(fields.Text("question", Need::kRequired), "question", diagnostics);
  gate.approvers = fields.Texts("approvers");
  gate.quorum = fields.Count("quorum", 1, 100).value_or(1);
  fields.Done();
  for (size_t i = 0; i < gate.approvers.size(); ++i) {
    const Placed& approver = gate.approvers[i];
    if (!model::IsName(approver.text)) {
      diagnostics.Error(approver.place, absl::StrCat("an approver is called \"", approver.text, "\""))
          .Expected("an operator's name");
    }
    for (size_t j = 0; j < i; ++j) {
      if (gate.approvers[j].text == approver.text) {
        diagnostics.Error(approver.place, absl::StrCat("the approver ", approver.text, " stands here a second time"));
      }
    }
  }
  if (!gate.approvers.empty() && gate.approvers.size() < gate.quorum) {
    diagnostics.Error(fields.node().Find("quorum")->value.place,
                      absl::StrCat("quorum is ", gate.quorum, ", and there are only ", gate.approvers.size(), " approvers"))
        .Expected("at least as many approvers as the quorum");
  }
  return gate;
}

WavesSpec ReadWaves(const Node& node, const std::string& stage, Diagnostics& diagnostics) {
  Fields fields(node, absl::StrCat("waves of ", stage), diagnostics);
  WavesSpec waves;
  waves.place = node.place;
  if (const Node* canary = fields.Find("canary")) waves.canary = ReadAmount(*canary, "canary", false, diagnostics);
  if (const Node* sizes = fields.Find("sizes")) {
    if (sizes->kind != Node::Kind::kList || sizes->items.empty()) {
      diagnostics.Error(sizes->place, absl::StrCat("sizes is ", sizes->kind == Node::Kind::kList ? "empty" : sizes->Describe()))
          .Expected("a list such as [10%, 50%, rest]");
    }
    for (size_t i = 0; i < sizes->items.size(); ++i) {
      const Node& item = sizes->items[i];
      const auto amount = ReadAmount(item, "a size", true, diagnostics);
      if (!amount) continue;
      if (amount->kind == Amount::Kind::kRest && i + 1 < sizes->items.size()) {
        diagnostics.Error(item.place, "rest is not the last size").Expected("nothing after rest: no host is left");
      }
      waves.sizes.push_back(*amount);
    }
  }
  if (const Node* gate = fields.Find("gate")) waves.gate = ReadGate(*gate, diagnostics);
  waves.gate_each = fields.Bool("gate_each").value_or(false);
  for (const Placed& key : fields.Texts("order")) {
    if (const auto read = ReadOrderKey(key, diagnostics)) waves.order.push_back(*read);
  }
  fields.Done();
  if (waves.gate_each && !waves.gate) {
    diagnostics.Error(node.Find("gate_each")->key_place, "gate_each is true, and there is no gate")
        .Expected("a gate with its question");
  }
  if (waves.gate && !waves.canary && !waves.gate_each) {
    diagnostics.Error(waves.gate->place, "a gate without a canary before it")
        .Expected("canary, or gate_each: true")
        .Hint("a gate before the first wave is the stage's own: write it beside waves");
  }
  return waves;
}

std::vector<RequirementSpec> ReadRequirements(const Node& node, Diagnostics& diagnostics) {
  constexpr int64_t kWithinDefault = 15 * 60 * kSecond;
  std::vector<RequirementSpec> requirements;
  if (node.kind != Node::Kind::kList) {
    diagnostics.Error(node.place, absl::StrCat("requires is ", node.Describe()))
        .Expected("a list such as [{claim: bubble.closed, host: gateway-1, within: 15m}]");
    return requirements;
  }
  for (const Node& item : node.items) {
    Fields fields(item, "a requirement", diagnostics);
    RequirementSpec requirement;
    requirement.claim = fields.Text("claim", Need::kRequired);
    requirement.host = fields.Text("host", Need::kRequired);
    requirement.within_ms = fields.Duration("within", kSecond, 30 * kDay).value_or(kWithinDefault);
    fields.Done();
    const size_t dot = requirement.claim.text.find('.');
    if (!requirement.claim.text.empty() && (dot == 0 || dot == std::string::npos || requirement.claim.text.size() > 128)) {
      diagnostics.Error(requirement.claim.place, absl::StrCat("the claim is \"", requirement.claim.text, "\""))
          .Expected("a plugin's name and its claim, such as bubble.closed");
    }
    requirements.push_back(std::move(requirement));
  }
  return requirements;
}

StepSpec ReadStep(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "a step", diagnostics);
  StepSpec step;
  const Placed name = fields.Name("name", Need::kRequired);
  step.name = name.text;
  step.place = name.place;
  const Placed uses = fields.Text("uses", Need::kRequired);
  step.uses_place = uses.place;
  if (const size_t dot = uses.text.find('.'); dot != std::string::npos && dot > 0 && dot + 1 < uses.text.size()) {
    step.plugin = uses.text.substr(0, dot);
    step.action = uses.text.substr(dot + 1);
  } else if (!uses.text.empty()) {
    diagnostics.Error(uses.place, absl::StrCat("uses is \"", uses.text, "\""))
        .Expected("a plugin and one of its actions, such as edr.install");
  }
  if (const Node* with = fields.Find("with")) {
    if (with->kind == Node::Kind::kMap) {
      step.with = *with;
    } else {
      diagnostics.Error(with->place, absl::StrCat("with is ", with->Describe())).Expected("a map of parameters and values");
    }
  }
  step.artifacts = fields.Texts("artifacts");
  step.timeout_ms = fields.Duration("timeout", kSecond, kDay);
  step.retries = fields.Count("retries", 0, kRetriesMax).value_or(0);
  if (const Node* backoff = fields.Find("backoff")) {
    Fields inner(*backoff, "backoff", diagnostics);
    step.backoff_ms = inner.Duration("initial", 0, kDay).value_or(step.backoff_ms);
    step.backoff_max_ms = inner.Duration("max", 0, kDay).value_or(std::max(step.backoff_max_ms, step.backoff_ms));
    inner.Done();
    if (step.backoff_max_ms < step.backoff_ms) {
      diagnostics.Error(backoff->place, "backoff begins with more than its max").Expected("initial at most max");
    }
  }
  const auto on_failure = fields.Word<model::v1::OnFailure>("on_failure");
  step.on_failure = on_failure.value_or(model::v1::ON_FAILURE_STOP);
  step.on_failure_place = on_failure ? node.Find("on_failure")->value.place : step.place;
  if (const Node* tokens = fields.Find("tokens")) step.tokens = ReadTokens(*tokens, "tokens", diagnostics);
  if (const Node* restores = fields.Find("restores")) step.restores = *restores;
  fields.Done();
  return step;
}

StageSpec ReadStage(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "a stage", diagnostics);
  StageSpec stage;
  const Placed name = fields.Name("name", Need::kRequired);
  stage.name = name.text;
  stage.place = name.place;
  const std::string what = stage.name.empty() ? "a stage" : absl::StrCat("stage ", stage.name);
  stage.after = fields.Texts("after");
  stage.targets = fields.Text("targets", Need::kRequired);
  if (!stage.targets.text.empty()) {
    SelectorError error;
    if (auto selector = Selector::Parse(stage.targets.text, error); selector.ok()) {
      stage.selector = *std::move(selector);
    } else {
      diagnostics.Error(PlaceInside(stage.targets, error.offset, error.length, diagnostics), error.message)
          .ExpectedOneOf(error.expected)
          .nearest = error.nearest;
    }
  }
  stage.optional = fields.Bool("optional").value_or(false);
  if (const Node* allow = fields.Find("allow")) {
    Fields inner(*allow, "allow", diagnostics);
    stage.allow.zones = inner.Words<model::v1::Zone>("zones");
    stage.allow.trust = inner.Words<model::v1::TrustState>("trust");
    stage.allow.classes = inner.Words<model::v1::AssetClass>("classes");
    inner.Done();
  }
  if (const Node* gate = fields.Find("gate")) stage.gate = ReadGate(*gate, diagnostics);
  if (const Node* waves = fields.Find("waves")) {
    stage.waves = ReadWaves(*waves, what, diagnostics);
    stage.has_waves = true;
  }
  stage.in_flight = fields.Count("in_flight", 1, kManyMax).value_or(0);
  if (const Node* failures = fields.Find("failures")) stage.failures = ReadBudget(*failures, diagnostics);
  stage.unreachable = fields.Word<model::v1::Unreachable>("unreachable").value_or(model::v1::UNREACHABLE_DEFER);
  stage.unreachable_after_ms = fields.Duration("unreachable_after", kSecond, 30 * kDay).value_or(60'000);
  if (const Node* requires_list = fields.Find("requires")) {
    stage.requirements = ReadRequirements(*requires_list, diagnostics);
  }
  stage.repeat_ms = fields.Duration("repeat", 10 * kSecond, kDay).value_or(0);
  if (stage.repeat_ms > 0) stage.repeat_place = node.Find("repeat")->value.place;
  const Node* steps = fields.Find("steps", Need::kRequired);
  fields.Done();
  if (steps == nullptr) return stage;
  if (steps->kind != Node::Kind::kList || steps->items.empty()) {
    diagnostics.Error(steps->place, absl::StrCat("steps of ", what, " is ",
                                                 steps->kind == Node::Kind::kList ? "empty" : steps->Describe()))
        .Expected("a list of steps");
    return stage;
  }
  for (const Node& item : steps->items) {
    StepSpec step = ReadStep(item, diagnostics);
    for (const StepSpec& other : stage.steps) {
      if (!step.name.empty() && other.name == step.name) {
        diagnostics.Error(step.place, absl::StrCat("the step ", step.name, " stands in ", what, " a second time"))
            .Hint(absl::StrCat("the first is in line ", other.place.line));
      }
    }
    stage.steps.push_back(std::move(step));
  }
  return stage;
}

}  // namespace reprise::plan
