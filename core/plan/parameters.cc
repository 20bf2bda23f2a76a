#include "core/plan/parameters.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/plan/parameter_value.h"

namespace reprise::plan {
namespace {

// As a document's node would be: "a,b,c" is a list.
Node NodeOf(const std::string& text, ParameterType type) {
  Node node;
  node.text = text;
  if (type != ParameterType::kList) return node;
  node.kind = Node::Kind::kList;
  if (text.empty()) return node;
  const std::vector<std::string> items = absl::StrSplit(text, ',');
  for (const std::string& item : items) node.items.emplace_back().text = std::string(absl::StripAsciiWhitespace(item));
  return node;
}

}  // namespace

ParameterValues ReadParameters(const Workflow& workflow, const std::map<std::string, std::string>& given,
                               Diagnostics& diagnostics) {
  ParameterValues values;
  std::vector<std::string> names;
  for (const ParameterSpec& spec : workflow.parameters) names.push_back(spec.name);
  for (const auto& [name, text] : given) {
    const ParameterSpec* spec = workflow.FindParameter(name);
    if (spec == nullptr) {
      Finding& finding =
          diagnostics.Error({}, absl::StrCat("workflow ", workflow.name, " has no parameter \"", name, "\""));
      finding.ExpectedOneOf(names).Nearest(name, names);
      if (names.empty()) finding.Expected("no parameter");
      continue;
    }
    const Node node = NodeOf(text, spec->type);
    auto value = ReadParameterValue(node, spec->type, absl::StrCat("parameter ", name), spec->secret, diagnostics);
    if (value && CheckChoice(*spec, *value, {}, diagnostics)) values[name] = *std::move(value);
  }
  for (const ParameterSpec& spec : workflow.parameters) {
    if (given.contains(spec.name)) continue;
    if (spec.default_value) {
      values[spec.name] = *spec.default_value;
    } else if (spec.required) {
      Finding& finding = diagnostics.Error(spec.place, absl::StrCat("no value is given for the parameter ", spec.name));
      finding.Expected(ExpectedOf(spec.type)).Hint(absl::StrCat("give it: --param ", spec.name, "=…"));
      if (spec.choices.empty() || spec.secret) continue;
      std::vector<std::string> choices;
      for (const Json& choice : spec.choices) choices.push_back(ShownValue(choice));
      finding.ExpectedOneOf(choices);
    }
  }
  return values;
}

std::vector<std::string> TextsOf(const Json& value) {
  if (!value.is_array()) return {ShownValue(value)};
  std::vector<std::string> texts;
  for (const Json& item : value) texts.push_back(ShownValue(item));
  return texts;
}

}  // namespace reprise::plan
