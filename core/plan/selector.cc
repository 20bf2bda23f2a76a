#include "core/plan/selector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/plan/selector_parser.h"

namespace reprise::plan {
namespace {

template <typename Enum>
std::optional<int> NumberOf(const std::string& word, std::vector<std::string>& words) {
  words = model::NamesOf<Enum>();
  const auto value = model::FromName<Enum>(word);
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

std::string TextOf(const SelectorError& error) {
  std::string text = absl::StrCat("column ", error.offset + 1, " of the selector: ", error.message);
  if (!error.expected.empty()) absl::StrAppend(&text, "; expected ", absl::StrJoin(error.expected, ", "));
  if (!error.nearest.empty()) absl::StrAppend(&text, "; did you mean \"", error.nearest, "\"?");
  return text;
}

}  // namespace

absl::StatusOr<Selector> Selector::Parse(std::string_view text) {
  SelectorError error;
  return Parse(text, error);
}

absl::StatusOr<Selector> Selector::Parse(std::string_view text, SelectorError& error) {
  std::optional<Selector> selector = SelectorParser(text, error).Parse();
  if (!selector) return absl::InvalidArgumentError(TextOf(error));
  return *std::move(selector);
}

// Turns words of the vocabulary into numbers, and puts names and label values in order, to be searched.
bool Selector::Resolve(Expression& expression, SelectorError& error) {
  for (Expression& part : expression.parts) {
    if (!Resolve(part, error)) return false;
  }
  if (expression.op != Op::kIn) return true;
  if (expression.field == Field::kName || expression.field == Field::kLabel) {
    std::sort(expression.values.begin(), expression.values.end(),
              [](const Value& a, const Value& b) { return a.text < b.text; });
    return true;
  }
  expression.numbers.clear();
  for (const Value& value : expression.values) {
    if (value.parameter) continue;
    std::vector<std::string> words;
    std::optional<int> number;
    const char* what = "";
    switch (expression.field) {
      case Field::kZone:
        what = "zone";
        number = NumberOf<model::v1::Zone>(value.text, words);
        break;
      case Field::kClass:
        what = "class";
        number = NumberOf<model::v1::AssetClass>(value.text, words);
        break;
      case Field::kTrust:
        what = "trust";
        number = NumberOf<model::v1::TrustState>(value.text, words);
        break;
      case Field::kAgent:
        what = "agent";
        words = {"true", "false"};
        if (value.text == "true" || value.text == "false") number = value.text == "true" ? 1 : 0;
        break;
      case Field::kName:
      case Field::kLabel:
        break;
    }
    if (!number) {
      error = {.offset = value.offset,
               .length = std::max<size_t>(value.length, 1),
               .message = absl::StrCat("no ", what, " is called \"", value.text, "\""),
               .expected = words,
               .nearest = NearestName(value.text, words)};
      return false;
    }
    expression.numbers.push_back(*number);
  }
  return true;
}

bool Selector::BindIn(Expression& expression, const std::function<std::vector<std::string>(const std::string&)>& values,
                      SelectorError& error) {
  for (Expression& part : expression.parts) {
    if (!BindIn(part, values, error)) return false;
  }
  std::vector<Value> bound;
  for (Value& value : expression.values) {
    if (!value.parameter) {
      bound.push_back(std::move(value));
      continue;
    }
    for (const std::string& text : values(value.text)) {
      bound.push_back({.text = text, .offset = value.offset, .length = value.length, .parameter = false});
    }
  }
  expression.values = std::move(bound);
  return Resolve(expression, error);
}

absl::Status Selector::Bind(const std::function<std::vector<std::string>(const std::string& name)>& values,
                            SelectorError& error) {
  if (!BindIn(root_, values, error)) return absl::InvalidArgumentError(TextOf(error));
  return absl::OkStatus();
}

void Selector::Collect(const Expression& expression, std::vector<Reference>& found) {
  for (const Expression& part : expression.parts) Collect(part, found);
  if (expression.op != Op::kIn) return;
  if (expression.field == Field::kLabel) {
    found.push_back({Reference::Kind::kLabelKey, expression.label, expression.label_offset, {}});
  }
  for (const Value& value : expression.values) {
    if (value.parameter) {
      found.push_back({Reference::Kind::kParameter, value.text, value.offset, {}});
    } else if (expression.field == Field::kName) {
      found.push_back({Reference::Kind::kHostName, value.text, value.offset, {}});
    } else if (expression.field == Field::kLabel) {
      found.push_back({Reference::Kind::kLabelValue, value.text, value.offset, expression.label});
    }
  }
}

std::vector<Selector::Reference> Selector::References() const {
  std::vector<Reference> found;
  Collect(root_, found);
  return found;
}

bool Selector::Matches(const HostFacts& host) const { return !empty_ && Matches(root_, host); }

bool Selector::Matches(const Expression& expression, const HostFacts& host) {
  const auto& parts = expression.parts;
  const auto matches = [&host](const Expression& part) { return Matches(part, host); };
  switch (expression.op) {
    case Op::kAll:
      return true;
    case Op::kAnd:
      return std::all_of(parts.begin(), parts.end(), matches);
    case Op::kOr:
      return std::any_of(parts.begin(), parts.end(), matches);
    case Op::kNot:
      return !Matches(parts.front(), host);
    case Op::kIn:
      break;
  }
  const auto among = [&](int number) {
    return std::find(expression.numbers.begin(), expression.numbers.end(), number) != expression.numbers.end();
  };
  const auto named = [&](std::string_view text) {
    const auto found = std::lower_bound(expression.values.begin(), expression.values.end(), text,
                                        [](const Value& v, std::string_view wanted) { return v.text < wanted; });
    return found != expression.values.end() && found->text == text;
  };
  switch (expression.field) {
    case Field::kName:
      return named(host.name);
    case Field::kZone:
      return among(static_cast<int>(host.zone));
    case Field::kClass:
      return among(static_cast<int>(host.asset_class));
    case Field::kTrust:
      return among(static_cast<int>(host.trust));
    case Field::kAgent:
      return among(host.agent ? 1 : 0);
    case Field::kLabel: {
      const std::string* value = host.label ? host.label(expression.label) : nullptr;
      return value != nullptr && named(*value);
    }
  }
  return false;
}

}  // namespace reprise::plan
