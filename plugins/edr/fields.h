// Reading a JSON object field by field: each must have its type, none may be left over. Failures are Error "bad_profile"
// that name the place, the value and what was expected.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugins/sdk/error.h"
#include "plugins/sdk/params.h"

namespace reprise::edr {

class Fields {
 public:
  // Throws unless `value` is an object. REQUIRES: `value` outlives this.
  Fields(const sdk::Json& value, std::string where);

  bool Has(const std::string& key) const { return value_.contains(key); }
  std::vector<std::string> Keys() const;
  // Not empty, without control characters, at most 4096 bytes.
  std::string Text(const std::string& key) const;
  std::string Text(const std::string& key, const std::string& otherwise) const;
  // As sdk::IsName and sdk::IsPlainPath have it.
  std::string Name(const std::string& key) const;
  std::string Path(const std::string& key) const;
  int Integer(const std::string& key, int least, int most) const;
  std::vector<std::string> Texts(const std::string& key) const;
  std::vector<int> Integers(const std::string& key, int least, int most) const;
  // A list of lines as one text, each ended.
  std::string Lines(const std::string& key) const;
  Fields Object(const std::string& key) const;
  std::vector<Fields> Objects(const std::string& key) const;

  [[noreturn]] void Refuse(const std::string& key, const std::string& expected) const;
  // Throws if there is a field that was not read.
  void Done() const;

 private:
  const sdk::Json& Get(const std::string& key, bool (sdk::Json::*is)() const, const char* expected) const;

  const sdk::Json& value_;
  std::string where_;
  mutable std::set<std::string> read_;
};

}  // namespace reprise::edr
