#include "core/plan/workflow.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/plan/gate_names.h"
#include "core/plan/parameter_value.h"
#include "core/plan/stage_graph.h"
#include "core/plan/stage_reader.h"

namespace reprise::plan {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 86'400'000;
constexpr uint32_t kManyMax = 1'000'000;
constexpr uint32_t kPerHostMax = 100;

constexpr std::pair<const char*, ParameterType> kTypes[] = {
    {"string", ParameterType::kString},   {"integer", ParameterType::kInteger},   {"number", ParameterType::kNumber},
    {"boolean", ParameterType::kBoolean}, {"duration", ParameterType::kDuration}, {"list", ParameterType::kList},
};

// As a host's name, and with '_': "slow_ms".
bool IsParameterName(std::string text) {
  std::replace(text.begin(), text.end(), '_', '-');
  return model::IsName(text);
}

ParameterType ReadType(Fields& fields) {
  const Placed word = fields.Text("type");
  if (word.text.empty()) return ParameterType::kString;
  std::vector<std::string> names;
  for (const auto& [name, type] : kTypes) {
    if (word.text == name) return type;
    names.emplace_back(name);
  }
  fields.diagnostics()
      .Error(word.place, absl::StrCat("type is \"", word.text, "\""))
      .ExpectedOneOf(names)
      .Nearest(word.text, names);
  return ParameterType::kString;
}

ParameterSpec ReadParameter(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "a parameter", diagnostics);
  ParameterSpec spec;
  const Placed name = fields.Text("name", Need::kRequired);
  if (IsParameterName(name.text)) {
    spec.name = name.text;
  } else if (!name.text.empty()) {
    diagnostics.Error(name.place, absl::StrCat("name is \"", name.text, "\""))
        .Expected("a-z, 0-9, '_', '-' and '.', at most 64, beginning with a letter or digit");
  }
  spec.place = name.place;
  spec.type = ReadType(fields);
  spec.description = fields.Text("description").text;
  spec.required = fields.Bool("required").value_or(false);
  spec.secret = fields.Bool("secret").value_or(false);
  if (const Node* choices = fields.Find("enum")) {
    if (choices->kind != Node::Kind::kList || choices->items.empty()) {
      diagnostics
          .Error(choices->place,
                 absl::StrCat("enum is ", choices->kind == Node::Kind::kList ? "empty" : choices->Describe()))
          .Expected("a list of the values that may be given");
    }
    const ParameterType each = spec.type == ParameterType::kList ? ParameterType::kString : spec.type;
    for (const Node& item : choices->items) {
      if (auto value = ReadParameterValue(item, each, "a value of enum", spec.secret, diagnostics)) {
        spec.choices.push_back(*std::move(value));
      }
    }
  }
  const Node* standing = fields.Find("default");
  fields.Done();
  if (standing == nullptr) return spec;
  if (spec.secret) {
    diagnostics.Error(standing->place, absl::StrCat("the secret parameter ", spec.name, " has a default"))
        .Expected("no default: a document is read by many")
        .Secret();
    return spec;
  }
  if (spec.required) {
    diagnostics.Error(standing->place, absl::StrCat("parameter ", spec.name, " is required and has a default"))
        .Expected("one of the two");
  }
  auto value = ReadParameterValue(*standing, spec.type, "default", false, diagnostics);
  if (value && CheckChoice(spec, *value, standing->place, diagnostics)) spec.default_value = *std::move(value);
  return spec;
}

template <typename Item>
void RefuseSecond(const std::vector<Item>& items, const Item& item, const char* what, Diagnostics& diagnostics) {
  const auto first =
      std::find_if(items.begin(), items.end(), [&](const Item& other) { return other.name == item.name; });
  if (item.name.empty() || first == items.end()) return;
  diagnostics.Error(item.place, absl::StrCat("the ", what, " ", item.name, " stands here a second time"))
      .Hint(absl::StrCat("the first is in line ", first->place.line));
}

// The items of a list of maps; anything else is reported.
template <typename Read>
void ReadList(const Node* node, const char* key, Diagnostics& diagnostics, Read read) {
  if (node == nullptr) return;
  if (node->kind != Node::Kind::kList) {
    diagnostics.Error(node->place, absl::StrCat(key, " is ", node->Describe())).Expected("a list: \"- name: …\"");
    return;
  }
  for (const Node& item : node->items) read(item);
}

// Two gates of one name could not be told apart by who decides them.
void CheckGateNames(const Workflow& workflow, Diagnostics& diagnostics) {
  std::map<std::string, Place> seen;
  const auto check = [&](const std::string& name, const GateSpec& gate) {
    if (!model::IsName(name)) {
      diagnostics.Error(gate.place, absl::StrCat("the gate would be called \"", name, "\", which is too long"))
          .Hint("give it a name of its own");
      return;
    }
    const auto [first, is_new] = seen.emplace(name, gate.place);
    if (is_new) return;
    diagnostics.Error(gate.place, absl::StrCat("a second gate is called ", name))
        .Expected("a name of its own for every gate")
        .Hint(absl::StrCat("the first is in line ", first->second.line));
  };
  for (const StageSpec& stage : workflow.stages) {
    if (stage.name.empty()) continue;
    if (stage.gate) check(StageGateName(stage), *stage.gate);
    if (HasGateBefore(stage, 1)) check(WaveGateName(stage, 1), *stage.waves.gate);
  }
}

void CheckTokens(const Workflow& workflow, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const auto& [token, amount] : workflow.capacities) names.push_back(token);
  for (const StageSpec& stage : workflow.stages) {
    for (const StepSpec& step : stage.steps) {
      for (const TokenSpec& token : step.tokens) {
        const auto found = workflow.capacities.find(token.token);
        if (found == workflow.capacities.end()) {
          diagnostics.Error(token.place, absl::StrCat("no capacity is given for the token ", token.token))
              .ExpectedOneOf(names)
              .Nearest(token.token, names)
              .Hint(absl::StrCat("say how many there are: capacities: {", token.token, ": ", token.amount, "}"));
        } else if (token.amount > found->second) {
          diagnostics
              .Error(token.place, absl::StrCat("step ", step.name, " takes ", token.amount, " of the token ",
                                               token.token, ", and there are only ", found->second))
              .Expected(absl::StrCat("at most ", found->second));
        }
      }
    }
  }
}

void ReadLimits(const Node& node, Workflow& workflow, Diagnostics& diagnostics) {
  Fields fields(node, "limits", diagnostics);
  workflow.in_flight = fields.Count("in_flight", 1, kManyMax).value_or(0);
  workflow.per_host = fields.Count("per_host", 1, kPerHostMax).value_or(1);
  if (const Node* failures = fields.Find("failures")) workflow.failures = ReadBudget(*failures, diagnostics);
  fields.Done();
}

// Bytes of the first `count` characters; npos: there are fewer.
size_t Skip(std::string_view text, size_t count) {
  size_t at = 0;
  while (count-- > 0) {
    if (at >= text.size()) return std::string_view::npos;
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  }
  return at;
}

uint32_t Characters(std::string_view text) {
  return static_cast<uint32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

const ParameterSpec* Workflow::FindParameter(std::string_view parameter) const {
  for (const ParameterSpec& spec : parameters) {
    if (spec.name == parameter) return &spec;
  }
  return nullptr;
}

Place PlaceInside(const Placed& scalar, size_t offset, size_t length, const Diagnostics& diagnostics) {
  Place place = scalar.place;
  if (place.line == 0 || scalar.text.empty() || offset > scalar.text.size()) return place;
  std::string_view bytes = diagnostics.SourceBytes(place.source);
  for (uint32_t line = 1; line < place.line; ++line) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return place;
    bytes.remove_prefix(end + 1);
  }
  const size_t column = Skip(bytes, place.column - 1);
  if (column == std::string_view::npos) return place;
  bytes.remove_prefix(column);
  const bool quote = !bytes.starts_with(scalar.text) && (bytes.starts_with('"') || bytes.starts_with('\''));
  if (quote) bytes.remove_prefix(1);
  // Escaped, folded or on several lines: the whole of it is shown.
  if (!bytes.starts_with(scalar.text) || scalar.text.find('\n') != std::string::npos) return place;
  place.column += Characters(std::string_view(scalar.text).substr(0, offset)) + (quote ? 1 : 0);
  place.length = std::max(1u, Characters(std::string_view(scalar.text).substr(offset, length)));
  return place;
}

Workflow ReadWorkflow(Fields& fields, Diagnostics& diagnostics) {
  Workflow workflow;
  workflow.place = fields.node().place;
  ReadList(fields.Find("parameters"), "parameters", diagnostics, [&](const Node& item) {
    ParameterSpec spec = ReadParameter(item, diagnostics);
    RefuseSecond(workflow.parameters, spec, "parameter", diagnostics);
    workflow.parameters.push_back(std::move(spec));
  });
  workflow.expires_ms = fields.Duration("expires", kLifeMin, kLifeMax).value_or(workflow.expires_ms);
  if (const Node* limits = fields.Find("limits")) ReadLimits(*limits, workflow, diagnostics);
  if (const Node* capacities = fields.Find("capacities")) {
    for (const TokenSpec& token : ReadTokens(*capacities, "capacities", diagnostics)) {
      workflow.capacities[token.token] = token.amount;
    }
  }
  const Node* stages = fields.Find("stages", Need::kRequired);
  ReadList(stages, "stages", diagnostics, [&](const Node& item) {
    StageSpec stage = ReadStage(item, diagnostics);
    RefuseSecond(workflow.stages, stage, "stage", diagnostics);
    workflow.stages.push_back(std::move(stage));
  });
  if (stages != nullptr && stages->kind == Node::Kind::kList && stages->items.empty()) {
    diagnostics.Error(stages->place, "stages is empty").Expected("at least one stage");
  }
  fields.Done();
  OrderStages(workflow.stages, diagnostics);
  CheckGateNames(workflow, diagnostics);
  CheckTokens(workflow, diagnostics);
  return workflow;
}

}  // namespace reprise::plan
