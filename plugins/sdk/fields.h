// Reading a JSON object field by field: each must have its type, none may be left over. Failures are Error "bad_profile"
// that name the place, the value and what was expected, with a hint where the format is described.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plugins/sdk/error.h"
#include "plugins/sdk/params.h"

namespace reprise::sdk {

// Of 0 to 4096 bytes, without control characters but tabs.
inline bool IsLine(const std::string& text) {
  if (text.size() > 4096) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return false;
  }
  return true;
}

class Fields {
 public:
  // Throws unless `value` is an object. REQUIRES: `value` outlives this.
  Fields(const Json& value, std::string where, std::string hint)
      : value_(value), where_(std::move(where)), hint_(std::move(hint)) {
    if (!value.is_object()) throw Error("bad_profile", where_ + " is " + value.type_name() + ", expected an object", hint_);
  }

  bool Has(const std::string& key) const { return value_.contains(key); }
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : value_.items()) keys.push_back(key);
    return keys;
  }
  // Not empty, one line.
  std::string Text(const std::string& key) const {
    const std::string text = Get(key, &Json::is_string, "a text").get<std::string>();
    if (text.empty() || !IsLine(text)) Refuse(key, "a line of 1 to 4096 bytes");
    return text;
  }
  std::string Text(const std::string& key, const std::string& otherwise) const {
    return Has(key) ? Text(key) : otherwise;
  }
  std::string Name(const std::string& key) const {
    const std::string text = Text(key);
    if (!IsName(text) || text.size() > 128) Refuse(key, "letters, digits and . _ + : @ -");
    return text;
  }
  std::string Path(const std::string& key) const {
    const std::string text = Text(key);
    if (!IsPlainPath(text) || text.size() < 2) Refuse(key, "an absolute path without ..");
    return text;
  }
  // A name in a base that needs no quoting.
  std::string Identifier(const std::string& key) const {
    const std::string text = Text(key);
    bool plain = text.size() <= 40 && text[0] >= 'a' && text[0] <= 'z';
    for (const char c : text) plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    if (!plain) Refuse(key, "a name of a-z 0-9 _, at most 40, starting with a letter");
    return text;
  }
  int Integer(const std::string& key, int least, int most) const {
    const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    const Json& value = Get(key, &Json::is_number_integer, expected.c_str());
    const double number = value.get<double>();
    if (number < least || number > most) Refuse(key, expected);
    return value.get<int>();
  }
  bool Boolean(const std::string& key, bool otherwise) const {
    return Has(key) ? Get(key, &Json::is_boolean, "true or false").get<bool>() : otherwise;
  }
  std::vector<std::string> Texts(const std::string& key) const {
    std::vector<std::string> texts;
    for (const Json& item : Get(key, &Json::is_array, "a list of texts")) {
      if (!item.is_string() || !IsLine(item.get<std::string>())) Refuse(key, "a list of texts of one line each");
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }
  std::vector<std::string> TextsIfThere(const std::string& key) const {
    return Has(key) ? Texts(key) : std::vector<std::string>();
  }
  std::vector<int> Integers(const std::string& key, int least, int most) const {
    std::vector<int> numbers;
    for (const Json& item : Get(key, &Json::is_array, "a list of whole numbers")) {
      if (!item.is_number_integer() || item.get<double>() < least || item.get<double>() > most) {
        Refuse(key, "whole numbers from " + std::to_string(least) + " to " + std::to_string(most));
      }
      numbers.push_back(item.get<int>());
    }
    return numbers;
  }
  std::vector<std::string> Paths(const std::string& key) const {
    std::vector<std::string> paths = TextsIfThere(key);
    for (const std::string& path : paths) {
      if (!IsPlainPath(path) || path.size() < 2) Refuse(key, "absolute paths without ..");
    }
    return paths;
  }
  // A list of lines as one text, joined by `end` after each.
  std::string Lines(const std::string& key, const std::string& end = "\n") const {
    std::string text;
    for (const std::string& line : Texts(key)) text += line + end;
    return text;
  }
  Fields Object(const std::string& key) const {
    return Fields(Get(key, &Json::is_object, "an object"), where_ + ": " + key, hint_);
  }
  std::vector<Fields> Objects(const std::string& key) const {
    std::vector<Fields> objects;
    int number = 0;
    for (const Json& item : Get(key, &Json::is_array, "a list of objects")) {
      objects.emplace_back(item, where_ + ": " + key + "[" + std::to_string(number++) + "]", hint_);
    }
    return objects;
  }
  std::vector<Fields> ObjectsIfThere(const std::string& key) const {
    return Has(key) ? Objects(key) : std::vector<Fields>();
  }

  [[noreturn]] void Refuse(const std::string& key, const std::string& expected) const {
    const auto found = value_.find(key);
    const std::string shown =
        found == value_.end() ? "missing" : found->dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 80);
    throw Error("bad_profile", where_ + ": " + key.substr(0, 80) + " is " + shown + ", expected " + expected, hint_);
  }
  // Throws if there is a field that was not read.
  void Done() const {
    for (const auto& [key, value] : value_.items()) {
      if (!read_.contains(key)) Refuse(key, "no such field");
    }
  }

 private:
  const Json& Get(const std::string& key, bool (Json::*is)() const, const char* expected) const {
    read_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end() || !((*found).*is)()) Refuse(key, expected);
    return *found;
  }

  const Json& value_;
  std::string where_;
  std::string hint_;
  mutable std::set<std::string> read_;
};

}  // namespace reprise::sdk
