#include "core/plan/schema_check.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/plan/parameter_value.h"

namespace reprise::plan {
namespace {

using valijson::adapters::NlohmannJsonAdapter;

// std::regex descends once for every character: a longer text could exhaust the stack.
constexpr size_t kPatternTextMax = 4096;
constexpr size_t kTextMax = 256 << 10;

// Where a text stands that is longer than `most`; nullopt: nowhere.
std::optional<std::vector<std::string>> FindLongText(const Json& value, size_t most, std::vector<std::string>& path) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>().size() > most ? std::optional(path) : std::nullopt;
  }
  if (!value.is_structured()) return std::nullopt;
  for (const auto& [key, item] : value.items()) {
    path.push_back(key);
    if (auto found = FindLongText(item, most, path)) return found;
    path.pop_back();
  }
  return std::nullopt;
}

// valijson's "<root>", "[version]" or "["version"]", "[0]" as keys.
std::vector<std::string> PathOf(const std::vector<std::string>& context) {
  std::vector<std::string> path;
  for (size_t i = 1; i < context.size(); ++i) {
    std::string_view part = context[i];
    const auto strip = [&part](char open, char close) {
      if (part.size() >= 2 && part.front() == open && part.back() == close) part = part.substr(1, part.size() - 2);
    };
    strip('[', ']');
    strip('"', '"');
    path.emplace_back(part);
  }
  return path;
}

// The node at the path, or the last one on the way to it.
Place PlaceAt(const Node* with, Place step, const std::vector<std::string>& path) {
  if (with == nullptr) return step;
  const Node* node = with;
  for (const std::string& key : path) {
    if (node->kind == Node::Kind::kMap) {
      const NodeEntry* entry = node->Find(key);
      if (entry == nullptr) break;
      node = &entry->value;
    } else if (node->kind == Node::Kind::kList) {
      const size_t index = std::strtoul(key.c_str(), nullptr, 10);
      if (index >= node->items.size()) break;
      node = &node->items[index];
    }
  }
  return node->place;
}

const Json* ValueAt(const Json& params, const std::vector<std::string>& path) {
  const Json* value = &params;
  for (const std::string& key : path) {
    if (value->is_object() && value->contains(key)) {
      value = &value->at(key);
    } else if (value->is_array() && std::strtoul(key.c_str(), nullptr, 10) < value->size()) {
      value = &value->at(std::strtoul(key.c_str(), nullptr, 10));
    } else {
      return nullptr;
    }
  }
  return value;
}

// The schema of the value at the path, as far as properties and items lead there.
const Json* SchemaAt(const Json& schema, const std::vector<std::string>& path) {
  const Json* found = &schema;
  for (const std::string& key : path) {
    const bool number = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos;
    if (found->contains("properties") && found->at("properties").is_object() && found->at("properties").contains(key)) {
      found = &found->at("properties").at(key);
    } else if (number && found->contains("items") && found->at("items").is_object()) {
      found = &found->at("items");
    } else {
      return nullptr;
    }
    if (!found->is_object()) return nullptr;
  }
  return found;
}

std::string Described(const Json& value) {
  constexpr size_t kShownMax = 60;
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "a map";
  if (value.is_array()) return "a list";
  std::string shown = ShownValue(value);
  if (shown.size() > kShownMax) shown = absl::StrCat(shown.substr(0, kShownMax), "…");
  return value.is_string() ? absl::StrCat("\"", shown, "\"")
                           : absl::StrCat(shown, value.is_boolean() ? "" : " (a number)");
}

std::vector<std::string> Keys(const Json& schema) {
  std::vector<std::string> keys;
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return keys;
  for (const auto& [key, value] : properties->items()) keys.push_back(key);
  return keys;
}

}  // namespace

std::string DescribeSchema(const Json& schema) {
  if (!schema.is_object()) return "another value";
  const auto number = [&schema](const char* key) {
    const auto found = schema.find(key);
    return found != schema.end() && found->is_number() ? found->dump() : std::string();
  };
  if (const auto words = schema.find("enum"); words != schema.end() && words->is_array() && !words->empty()) {
    std::vector<std::string> names;
    for (const Json& word : *words) names.push_back(ShownValue(word));
    return absl::StrCat(names.size() == 1 ? "" : "one of ", absl::StrJoin(names, ", "));
  }
  const Json type = schema.value("type", Json());
  std::string text = type == "string"    ? "a text"
                     : type == "integer" ? "a whole number"
                     : type == "number"  ? "a number"
                     : type == "boolean" ? "true or false"
                     : type == "array"   ? "a list"
                     : type == "object"  ? "a map"
                                         : "a value that the action's schema allows";
  if (type == "array" && schema.contains("items") && schema["items"].is_object()) {
    absl::StrAppend(&text, "; each of its items ", DescribeSchema(schema["items"]));
  }
  if (const std::string least = number("minimum"); !least.empty()) absl::StrAppend(&text, " from ", least);
  if (const std::string most = number("maximum"); !most.empty())
    absl::StrAppend(&text, number("minimum").empty() ? " of at most " : " to ", most);
  if (const std::string most = number("maxItems"); !most.empty()) absl::StrAppend(&text, ", at most ", most, " items");
  const auto pattern = schema.find("pattern");
  if (pattern != schema.end() && pattern->is_string()) absl::StrAppend(&text, " like ", pattern->get<std::string>());
  if (const std::string most = number("maxLength"); !most.empty()) absl::StrAppend(&text, ", at most ", most, " long");
  return text;
}

struct SchemaCheck::Compiled {
  valijson::Schema schema;
  valijson::Validator validator;  // Keeps the regular expressions that it has made.
};

SchemaCheck::SchemaCheck(const Json& schema) : schema_(schema), compiled_(std::make_unique<Compiled>()) {
  text_max_ = schema.dump(-1, ' ', false, Json::error_handler_t::replace).find("\"pattern") == std::string::npos
                  ? kTextMax
                  : kPatternTextMax;
}
SchemaCheck::~SchemaCheck() = default;

absl::StatusOr<std::unique_ptr<SchemaCheck>> SchemaCheck::Make(const Json& schema) {
  try {
    std::unique_ptr<SchemaCheck> check(new SchemaCheck(schema));
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(NlohmannJsonAdapter(schema), check->compiled_->schema);
    return check;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

// What goes wrong most, told best: keys that are unknown, missing, or secret.
bool SchemaCheck::CheckKeys(const Json& params, const Node* with, Place step, Diagnostics* diagnostics) const {
  bool right = true;
  const std::vector<std::string> known = Keys(schema_);
  const Json closed = schema_.value("additionalProperties", Json());
  for (const auto& [key, value] : params.items()) {
    const NodeEntry* entry = with == nullptr ? nullptr : with->Find(key);
    const Place place = entry == nullptr ? step : entry->key_place;
    const bool is_known = std::find(known.begin(), known.end(), key) != known.end();
    if (!is_known && closed == false && !schema_.contains("patternProperties")) {
      right = false;
      if (diagnostics == nullptr) return false;
      Finding& finding = diagnostics->Error(place, absl::StrCat("the action has no parameter \"", key, "\""));
      finding.ExpectedOneOf(known).Nearest(key, known);
      if (known.empty()) finding.Expected("no parameter at all");
    } else if (const Json* own = SchemaAt(schema_, {key}); own != nullptr && own->value("writeOnly", Json()) == true) {
      right = false;
      if (diagnostics == nullptr) return false;
      diagnostics
          ->Error(place, absl::StrCat("the parameter ", key, " of the action is a secret, and would stand in the plan"))
          .Expected("no secret in with: a plan is stored, and read by everybody who signs it")
          .Hint("put the secret in a file on the host and name the file, if the action takes one")
          .Secret();
    }
  }
  const auto required = schema_.find("required");
  if (required == schema_.end() || !required->is_array()) return right;
  for (const Json& key : *required) {
    if (!key.is_string() || params.contains(key.get<std::string>())) continue;
    right = false;
    if (diagnostics == nullptr) return false;
    const Json* own = SchemaAt(schema_, {key.get<std::string>()});
    diagnostics->Error(step, absl::StrCat("the action needs the parameter \"", key.get<std::string>(), "\""))
        .Expected(own == nullptr ? "a value in with:" : absl::StrCat(DescribeSchema(*own), ", in with:"))
        .Hint(own == nullptr ? "" : own->value("description", ""));
  }
  return right;
}

bool SchemaCheck::Check(const Json& params, const Node* with, Place step, const std::string& whose,
                        Diagnostics* diagnostics) {
  bool right = CheckKeys(params, with, step, diagnostics);
  if (!right && diagnostics == nullptr) return false;
  std::vector<std::string> here;
  if (const auto path = FindLongText(params, text_max_, here)) {
    if (diagnostics != nullptr) {
      diagnostics->Error(PlaceAt(with, step, *path), absl::StrCat(absl::StrJoin(*path, "."), " is too long", whose))
          .Expected(absl::StrCat("at most ", text_max_, " bytes"))
          .Hint("large content belongs into an artifact");
    }
    return false;
  }
  valijson::ValidationResults results;
  try {
    if (compiled_->validator.validate(compiled_->schema, NlohmannJsonAdapter(params),
                                      diagnostics == nullptr ? nullptr : &results)) {
      return right;
    }
  } catch (const std::exception& error) {
    if (diagnostics != nullptr)
      diagnostics->Error(step, absl::StrCat("the action's schema cannot be applied: ", error.what()));
    return false;
  }
  if (diagnostics == nullptr) return false;
  // Whatever stands around a wrong value fails with it: only the innermost is told, and each place once.
  std::map<std::vector<std::string>, std::string> wrong;
  for (const auto& error : results) wrong.emplace(PathOf(error.context), error.description);
  for (const auto& [path, description] : wrong) {
    const auto next = wrong.upper_bound(path);
    const bool outer = next != wrong.end() && next->first.size() > path.size() &&
                       std::equal(path.begin(), path.end(), next->first.begin());
    if (outer || (path.empty() && !right)) continue;
    const Json* value = ValueAt(params, path);
    const Json* own = SchemaAt(schema_, path);
    // The secret and the unknown have been told above.
    if (!path.empty() && (own == nullptr || own->value("writeOnly", Json()) == true) && !right) continue;
    Finding& finding =
        diagnostics->Error(PlaceAt(with, step, path),
                           absl::StrCat(path.empty() ? "with" : absl::StrJoin(path, "."), " is ",
                                        value == nullptr ? "not as the action wants it" : Described(*value), whose));
    if (path.empty() || own == nullptr) {
      finding.Expected(description);
      continue;
    }
    finding.Expected(DescribeSchema(*own)).Hint(own->value("description", ""));
    if (own->contains("enum") && value != nullptr && value->is_string()) {
      std::vector<std::string> words;
      for (const Json& word : own->at("enum")) words.push_back(ShownValue(word));
      finding.Nearest(value->get<std::string>(), words);
    }
  }
  return false;
}

}  // namespace reprise::plan
