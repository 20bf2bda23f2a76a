#include "core/plan/selector_check.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace reprise::plan {
namespace {

std::vector<std::string> KeysOf(const LabelIndex& labels) {
  std::vector<std::string> keys;
  for (const auto& [key, values] : labels) keys.push_back(key);
  return keys;
}

bool CheckParameter(const Placed& selector, const Selector::Reference& reference, const Workflow& workflow,
                    const ParameterValues& values, Diagnostics& diagnostics) {
  constexpr size_t kPrefix = std::string_view("params.").size();
  const Place place = PlaceInside(selector, reference.offset, reference.text.size() + kPrefix, diagnostics);
  const ParameterSpec* spec = workflow.FindParameter(reference.text);
  if (spec == nullptr) {
    std::vector<std::string> names;
    for (const ParameterSpec& known : workflow.parameters) names.push_back(known.name);
    diagnostics.Error(place, absl::StrCat("the workflow has no parameter \"", reference.text, "\""))
        .ExpectedOneOf(names)
        .Nearest(reference.text, names);
    return false;
  }
  if (spec->secret) {
    diagnostics.Error(place, absl::StrCat("the secret parameter ", reference.text, " stands in a selector"))
        .Expected("a parameter that is no secret: the plan shows which hosts were chosen");
    return false;
  }
  if (values.contains(reference.text)) return true;
  diagnostics.Error(place, absl::StrCat("the parameter ", reference.text, " has no value"))
      .Expected(absl::StrCat("a value given, or a default in line ", spec->place.line));
  return false;
}

// Hosts that the inventory does not have. A parameter may name thousands: the first are told, the rest counted.
class NameCheck {
 public:
  NameCheck(const Inventory& inventory, Diagnostics& diagnostics) : inventory_(inventory), diagnostics_(diagnostics) {}

  void Check(const Placed& selector, const Selector::Reference& reference) {
    constexpr size_t kToldMax = 10;
    if (inventory_.Find(reference.text) != nullptr || ++unknown_ > kToldMax) return;
    if (names_.empty()) {
      for (const Host& host : inventory_.hosts) names_.push_back(host.name);
    }
    diagnostics_
        .Error(PlaceInside(selector, reference.offset, reference.text.size(), diagnostics_),
               absl::StrCat("the inventory has no host \"", reference.text, "\""))
        .Expected("a host of the inventory")
        .Nearest(reference.text, names_);
    if (unknown_ == kToldMax) diagnostics_.Error(selector.place, "further names of this selector may be unknown too");
  }
  bool ok() const { return unknown_ == 0; }

 private:
  const Inventory& inventory_;
  Diagnostics& diagnostics_;
  std::vector<std::string> names_;
  size_t unknown_ = 0;
};

}  // namespace

LabelIndex IndexLabels(const Inventory& inventory) {
  LabelIndex labels;
  for (const Host& host : inventory.hosts) {
    for (const auto& [key, value] : host.labels) labels[key].insert(value);
  }
  return labels;
}

bool BindSelector(StageSpec& stage, const Workflow& workflow, const ParameterValues& values, const Inventory& inventory,
                  const LabelIndex& labels, Diagnostics& diagnostics) {
  using Kind = Selector::Reference::Kind;
  bool right = true;
  for (const Selector::Reference& reference : stage.selector.References()) {
    if (reference.kind == Kind::kParameter) {
      right = CheckParameter(stage.targets, reference, workflow, values, diagnostics) && right;
    }
  }
  if (!right) return false;
  SelectorError error;
  const auto bound =
      stage.selector.Bind([&values](const std::string& name) { return TextsOf(values.at(name)); }, error);
  if (!bound.ok()) {
    diagnostics.Error(PlaceInside(stage.targets, error.offset, error.length, diagnostics), error.message)
        .ExpectedOneOf(error.expected)
        .nearest = error.nearest;
    return false;
  }
  NameCheck names(inventory, diagnostics);
  const auto place_of = [&](const Selector::Reference& reference) {
    return PlaceInside(stage.targets, reference.offset, reference.text.size(), diagnostics);
  };
  for (const Selector::Reference& reference : stage.selector.References()) {
    if (reference.kind == Kind::kHostName) {
      names.Check(stage.targets, reference);
    } else if (reference.kind == Kind::kLabelKey && !labels.contains(reference.text)) {
      const std::vector<std::string> keys = KeysOf(labels);
      diagnostics.Error(place_of(reference), absl::StrCat("no host has a label \"", reference.text, "\""))
          .ExpectedOneOf(keys)
          .Nearest(reference.text, keys);
      right = false;
    } else if (reference.kind == Kind::kLabelValue) {
      const auto known = labels.find(reference.label);
      if (known == labels.end() || known->second.contains(reference.text)) continue;
      const std::vector<std::string> texts(known->second.begin(), known->second.end());
      diagnostics
          .Warning(place_of(reference),
                   absl::StrCat("no host has the label ", reference.label, " \"", reference.text, "\""))
          .ExpectedOneOf(texts)
          .Nearest(reference.text, texts);
    }
  }
  return right && names.ok();
}

void CheckOrderKeys(const StageSpec& stage, const LabelIndex& labels, Diagnostics& diagnostics) {
  for (const OrderKey& key : stage.waves.order) {
    if (key.kind != OrderKey::Kind::kLabel || labels.contains(key.label)) continue;
    const std::vector<std::string> keys = KeysOf(labels);
    diagnostics.Error(key.place, absl::StrCat("no host has a label \"", key.label, "\""))
        .ExpectedOneOf(keys)
        .Nearest(key.label, keys);
  }
}

}  // namespace reprise::plan
