#include "plugins/edr/fields.h"

#include <utility>

namespace reprise::edr {

using sdk::Error;
using sdk::Json;

namespace {

bool IsLine(const std::string& text) {
  if (text.size() > 4096) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return false;
  }
  return true;
}

}  // namespace

Fields::Fields(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
  if (!value.is_object()) throw Error("bad_profile", where_ + " is " + value.type_name() + ", expected an object");
}

void Fields::Refuse(const std::string& key, const std::string& expected) const {
  const auto found = value_.find(key);
  const std::string shown =
      found == value_.end() ? "missing" : found->dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 80);
  throw Error("bad_profile", where_ + ": " + key.substr(0, 80) + " is " + shown + ", expected " + expected,
              "the format is described in plugins/edr/profiles/README.md");
}

void Fields::Done() const {
  for (const auto& [key, value] : value_.items()) {
    if (!read_.contains(key)) Refuse(key, "no such field");
  }
}

std::vector<std::string> Fields::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : value_.items()) keys.push_back(key);
  return keys;
}

const Json& Fields::Get(const std::string& key, bool (Json::*is)() const, const char* expected) const {
  read_.insert(key);
  const auto found = value_.find(key);
  if (found == value_.end() || !((*found).*is)()) Refuse(key, expected);
  return *found;
}

std::string Fields::Text(const std::string& key) const {
  const std::string text = Get(key, &Json::is_string, "a text").get<std::string>();
  if (text.empty() || !IsLine(text)) Refuse(key, "a line of 1 to 4096 bytes");
  return text;
}

std::string Fields::Text(const std::string& key, const std::string& otherwise) const {
  return Has(key) ? Text(key) : otherwise;
}

std::string Fields::Name(const std::string& key) const {
  const std::string text = Text(key);
  if (!sdk::IsName(text) || text.size() > 128) Refuse(key, "letters, digits and . _ + : @ -");
  return text;
}

std::string Fields::Path(const std::string& key) const {
  const std::string text = Text(key);
  if (!sdk::IsPlainPath(text) || text.size() < 2) Refuse(key, "an absolute path without ..");
  return text;
}

int Fields::Integer(const std::string& key, int least, int most) const {
  const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const Json& value = Get(key, &Json::is_number_integer, expected.c_str());
  const double number = value.get<double>();
  if (number < least || number > most) Refuse(key, expected);
  return value.get<int>();
}

std::vector<std::string> Fields::Texts(const std::string& key) const {
  std::vector<std::string> texts;
  for (const Json& item : Get(key, &Json::is_array, "a list of texts")) {
    if (!item.is_string() || !IsLine(item.get<std::string>())) Refuse(key, "a list of texts of one line each");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::vector<int> Fields::Integers(const std::string& key, int least, int most) const {
  std::vector<int> numbers;
  for (const Json& item : Get(key, &Json::is_array, "a list of whole numbers")) {
    if (!item.is_number_integer() || item.get<double>() < least || item.get<double>() > most) {
      Refuse(key, "whole numbers from " + std::to_string(least) + " to " + std::to_string(most));
    }
    numbers.push_back(item.get<int>());
  }
  return numbers;
}

std::string Fields::Lines(const std::string& key) const {
  std::string text;
  for (const std::string& line : Texts(key)) text += line + "\n";
  return text;
}

Fields Fields::Object(const std::string& key) const {
  return Fields(Get(key, &Json::is_object, "an object"), where_ + ": " + key);
}

std::vector<Fields> Fields::Objects(const std::string& key) const {
  std::vector<Fields> objects;
  int number = 0;
  for (const Json& item : Get(key, &Json::is_array, "a list of objects")) {
    objects.emplace_back(item, where_ + ": " + key + "[" + std::to_string(number++) + "]");
  }
  return objects;
}

}  // namespace reprise::edr
