// The parameters of an action, as a list that is both their check and their JSON Schema.
//
//   Params{Path("path").Required().About("The file to keep"), Text("mode").OneOf({"strict", "lax"}).Default("lax"),
//          Integer("retries").Range(0, 10).Default(3), Text("password").Secret()}
//
// What arrives is checked against it before any verb is called, so that an action reads values, not surprises: the
// types are right, defaults are filled in, nothing unknown, no NUL, no endless string, no path that climbs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/sdk/error.h"

namespace reprise::sdk {

using Json = nlohmann::json;

enum class ParamKind { kText, kName, kPath, kInteger, kNumber, kBoolean, kDuration, kList };

class Param {
 public:
  Param(ParamKind kind, std::string name) : kind_(kind), name_(std::move(name)) {}

  Param& About(std::string text) { return about_ = std::move(text), *this; }
  Param& Required() { return required_ = true, *this; }
  Param& Default(Json value) { return default_ = std::move(value), *this; }
  Param& OneOf(std::initializer_list<std::string> words) { return words_.assign(words), *this; }
  // For integers and numbers.
  Param& Range(double least, double most) { return least_ = least, most_ = most, *this; }
  // Bytes of a text, or items of a list.
  Param& AtMost(size_t length) { return length_max_ = length, *this; }
  // What a text, or each item of a list, looks like: a regular expression, and the same in words. The planner holds what
  // people write to it, before anything is signed; the last word has the action's own parser, which may be stricter.
  Param& Like(std::string pattern, std::string words) {
    return pattern_ = std::move(pattern), pattern_words_ = std::move(words), *this;
  }
  // Never shown, logged or returned; `reprise plugin verify` looks for it in every output.
  Param& Secret() { return secret_ = true, *this; }

  const std::string& name() const { return name_; }
  bool required() const { return required_; }
  const std::optional<Json>& default_value() const { return default_; }

  Json Schema() const;
  // Throws Error "bad_params", naming the parameter and, unless it is secret, the value.
  void Check(const Json& value) const;

 private:
  [[noreturn]] void Refuse(const Json& value, const std::string& expected) const;
  void CheckText(const Json& value, const std::string& text) const;
  size_t LengthMax() const;

  ParamKind kind_;
  std::string name_;
  std::string about_;
  bool required_ = false;
  bool secret_ = false;
  std::optional<Json> default_;
  std::vector<std::string> words_;
  std::string pattern_, pattern_words_;
  std::optional<double> least_, most_;
  size_t length_max_ = 0;
};

inline Param Text(std::string name) { return {ParamKind::kText, std::move(name)}; }
// Letters, digits and . _ + : @ -, not starting with a sign; at most 128. For packages, services, files in a folder.
inline Param Name(std::string name) { return {ParamKind::kName, std::move(name)}; }
// Absolute, without "..".
inline Param Path(std::string name) { return {ParamKind::kPath, std::move(name)}; }
inline Param Integer(std::string name) { return {ParamKind::kInteger, std::move(name)}; }
inline Param Number(std::string name) { return {ParamKind::kNumber, std::move(name)}; }
inline Param Boolean(std::string name) { return {ParamKind::kBoolean, std::move(name)}; }
// "90s", "15m", "1h30m": see Context::Duration.
inline Param Duration(std::string name) { return {ParamKind::kDuration, std::move(name)}; }
// Of texts.
inline Param List(std::string name) { return {ParamKind::kList, std::move(name)}; }

// Milliseconds, or nothing if `text` is no duration.
std::optional<int64_t> ParseDurationMs(std::string_view text);

class Params {
 public:
  Params(std::initializer_list<Param> params) : params_(params) {}
  Params() = default;
  void Add(Param param) { params_.push_back(std::move(param)); }

  Json Schema() const;
  // The object with its defaults. Throws Error "bad_params".
  Json Complete(const Json& given) const;

 private:
  std::vector<Param> params_;
};

// ---- implementation ----

inline constexpr const char* kNamePattern = "^[A-Za-z0-9][A-Za-z0-9._+:@-]*$";

inline bool IsName(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || !letter(text[0])) return false;
  for (char c : text) {
    if (!letter(c) && std::string_view("._+:@-").find(c) == std::string_view::npos) return false;
  }
  return true;
}

inline bool IsPlainPath(std::string_view path) {
  if (path.empty() || path[0] != '/') return false;
  for (size_t begin = 1; begin <= path.size();) {
    size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    if (path.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

inline std::optional<int64_t> ParseDurationMs(std::string_view text) {
  if (text.empty() || text.size() > 32) return std::nullopt;
  int64_t total = 0;
  size_t at = 0;
  while (at < text.size()) {
    int64_t number = 0;
    const size_t digits = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      if (number > 100'000'000'000) return std::nullopt;
      number = number * 10 + (text[at++] - '0');
    }
    if (at == digits) return std::nullopt;
    const size_t unit_begin = at;
    while (at < text.size() && (text[at] < '0' || text[at] > '9')) ++at;
    const std::string_view unit = text.substr(unit_begin, at - unit_begin);
    const int64_t scale = unit == "ms"  ? 1
                          : unit == "s" ? 1000
                          : unit == "m" ? 60'000
                          : unit == "h" ? 3'600'000
                          : unit == "d" ? 86'400'000
                                        : 0;
    if (scale == 0 || number > std::numeric_limits<int64_t>::max() / 4 / scale) return std::nullopt;
    total += number * scale;
    if (total > std::numeric_limits<int64_t>::max() / 4) return std::nullopt;
  }
  return total;
}

inline size_t Param::LengthMax() const {
  if (length_max_ != 0) return length_max_;
  switch (kind_) {
    case ParamKind::kName: return 128;
    case ParamKind::kDuration: return 32;
    case ParamKind::kList: return 1024;
    default: return 4096;
  }
}

inline Json Param::Schema() const {
  Json schema = Json::object();
  switch (kind_) {
    case ParamKind::kText: schema = {{"type", "string"}, {"maxLength", LengthMax()}}; break;
    case ParamKind::kName: schema = {{"type", "string"}, {"maxLength", LengthMax()}, {"pattern", kNamePattern}}; break;
    case ParamKind::kPath: schema = {{"type", "string"}, {"maxLength", LengthMax()}, {"pattern", "^/"}}; break;
    case ParamKind::kDuration:
      schema = {{"type", "string"}, {"maxLength", LengthMax()}, {"pattern", "^([0-9]+(ms|s|m|h|d))+$"}};
      break;
    case ParamKind::kInteger: schema = {{"type", "integer"}}; break;
    case ParamKind::kNumber: schema = {{"type", "number"}}; break;
    case ParamKind::kBoolean: schema = {{"type", "boolean"}}; break;
    case ParamKind::kList:
      schema = {{"type", "array"}, {"maxItems", LengthMax()}, {"items", {{"type", "string"}, {"maxLength", 4096}}}};
      break;
  }
  const auto bound = [&](const char* key, const std::optional<double>& value) {
    if (!value) return;
    if (kind_ == ParamKind::kInteger) {
      schema[key] = static_cast<int64_t>(*value);
    } else {
      schema[key] = *value;
    }
  };
  bound("minimum", least_);
  bound("maximum", most_);
  if (!words_.empty()) (kind_ == ParamKind::kList ? schema["items"] : schema)["enum"] = words_;
  if (!pattern_.empty()) {
    Json& text = kind_ == ParamKind::kList ? schema["items"] : schema;
    text["pattern"] = pattern_;
    text["description"] = pattern_words_;
  }
  if (!about_.empty()) schema["description"] = about_ + (pattern_.empty() || kind_ == ParamKind::kList ? "" : ": " + pattern_words_);
  if (default_) schema["default"] = *default_;
  if (secret_) schema["writeOnly"] = true;
  return schema;
}

inline void Param::Refuse(const Json& value, const std::string& expected) const {
  const std::string shown =
      secret_ ? "(secret)" : value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 80);
  throw Error("bad_params", "parameter " + name_ + " is " + shown + ", expected " + expected,
              "see the parameters of this action with: reprise plugin show");
}

inline void Param::CheckText(const Json& value, const std::string& text) const {
  const size_t bytes_max = kind_ == ParamKind::kList ? 4096 : LengthMax();
  if (text.size() > bytes_max) {
    Refuse(Json(text.substr(0, 16) + "…"), "at most " + std::to_string(bytes_max) + " bytes");
  }
  if (text.find('\0') != std::string::npos) Refuse(value, "a text without NUL");
  if (!words_.empty()) {
    std::string all;
    for (const std::string& word : words_) {
      if (word == text) return;
      all += (all.empty() ? "" : ", ") + word;
    }
    Refuse(value, "one of " + all);
  }
}

inline void Param::Check(const Json& value) const {
  switch (kind_) {
    case ParamKind::kText:
    case ParamKind::kName:
    case ParamKind::kPath:
    case ParamKind::kDuration: {
      // The size comes first: a value is shown only when it is short.
      if (!value.is_string()) Refuse(value.is_structured() ? Json(value.type_name()) : value, "a string");
      const std::string& text = value.get_ref<const std::string&>();
      CheckText(value, text);
      if (kind_ == ParamKind::kName && !IsName(text)) Refuse(value, "letters, digits and . _ + : @ -");
      if (kind_ == ParamKind::kPath && !IsPlainPath(text)) Refuse(value, "an absolute path without ..");
      if (kind_ == ParamKind::kDuration && !ParseDurationMs(text)) Refuse(value, "a duration such as 90s or 1h30m");
      return;
    }
    case ParamKind::kBoolean:
      if (!value.is_boolean()) Refuse(value.is_structured() ? Json(value.type_name()) : value, "true or false");
      return;
    case ParamKind::kInteger:
    case ParamKind::kNumber: {
      const bool whole = value.is_number_integer() ||
                         (value.is_number_float() && value.get<double>() >= -9e15 && value.get<double>() <= 9e15 &&
                          value.get<double>() == static_cast<double>(static_cast<int64_t>(value.get<double>())));
      if (kind_ == ParamKind::kInteger ? !whole : !value.is_number()) {
        Refuse(value.is_structured() ? Json(value.type_name()) : value,
               kind_ == ParamKind::kInteger ? "a whole number" : "a number");
      }
      const double number = value.get<double>();
      if ((least_ && number < *least_) || (most_ && number > *most_)) {
        const auto shown = [](double bound) { return Json(static_cast<int64_t>(bound)).dump(); };
        Refuse(value, "a number" + (least_ ? " from " + shown(*least_) : "") + (most_ ? " to " + shown(*most_) : ""));
      }
      if (kind_ == ParamKind::kInteger && value.is_number_unsigned() &&
          value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        Refuse(value, "a number of 63 bits");
      }
      return;
    }
    case ParamKind::kList:
      if (!value.is_array()) Refuse(value.is_structured() ? Json(value.type_name()) : value, "a list of strings");
      if (value.size() > LengthMax()) Refuse(Json(value.size()), "at most " + std::to_string(LengthMax()) + " items");
      for (const Json& item : value) {
        if (!item.is_string()) Refuse(Json(item.type_name()), "a list of strings");
        CheckText(item, item.get_ref<const std::string&>());
      }
      return;
  }
}

inline Json Params::Schema() const {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"properties", Json::object()}};
  Json required = Json::array();
  for (const Param& param : params_) {
    schema["properties"][param.name()] = param.Schema();
    if (param.required()) required.push_back(param.name());
  }
  if (!required.empty()) schema["required"] = required;
  return schema;
}

inline Json Params::Complete(const Json& given) const {
  if (!given.is_object()) {
    throw Error("bad_params", std::string("params is ") + given.type_name() + ", expected an object");
  }
  Json complete = Json::object();
  size_t known = 0;
  for (const Param& param : params_) {
    const auto found = given.find(param.name());
    if (found != given.end()) {
      ++known;
      param.Check(*found);
      complete[param.name()] = *found;
    } else if (param.default_value()) {
      complete[param.name()] = *param.default_value();
    } else if (param.required()) {
      throw Error("bad_params", "parameter " + param.name() + " is missing");
    }
  }
  if (known == given.size()) return complete;
  for (const auto& [name, value] : given.items()) {
    bool listed = false;
    for (const Param& param : params_) listed = listed || param.name() == name;
    if (!listed) throw Error("bad_params", "parameter " + name.substr(0, 80) + " is unknown to this action");
  }
  return complete;
}

}  // namespace reprise::sdk
