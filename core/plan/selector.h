// Which hosts a stage is for:
//
//   class in (workstation, admin_workstation) and labels.site == nord and not name in params.spared
//
// Identifiers: name, zone, class, trust, agent, labels.<key>. Operators: == != in not in and or not ( ); "and" binds
// tighter than "or". `all` is every host. A host without the label equals nothing: `==` and `in` are false, `!=` and
// `not in` true. Strings are bare or quoted. `params.<name>` on the right stands for a workflow's parameter. Depth and
// length are bounded; any bytes may be parsed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/names.h"

namespace reprise::plan {

// What a selector may ask of a host.
struct HostFacts {
  std::string_view name;
  model::v1::Zone zone = model::v1::ZONE_UNSPECIFIED;
  model::v1::AssetClass asset_class = model::v1::ASSET_CLASS_UNSPECIFIED;
  model::v1::TrustState trust = model::v1::TRUST_STATE_UNSPECIFIED;
  bool agent = true;
  std::function<const std::string*(std::string_view key)> label;  // Gives nullptr: no such label.
};

// What is wrong, and where in the selector's text (offset in bytes).
struct SelectorError {
  size_t offset = 0;
  size_t length = 1;
  std::string message;
  std::vector<std::string> expected;
  std::string nearest;
};

class Selector {
 public:
  static constexpr size_t kBytesMax = 16 << 10;
  static constexpr int kDepthMax = 32;

  // Selects nothing.
  Selector() = default;
  static absl::StatusOr<Selector> Parse(std::string_view text);            // INVALID_ARGUMENT, for people.
  static absl::StatusOr<Selector> Parse(std::string_view text, SelectorError& error);

  // One thing that a comparison names, for checks against an inventory and parameters.
  struct Reference {
    enum class Kind { kHostName, kLabelKey, kLabelValue, kParameter };
    Kind kind;
    std::string text;
    size_t offset = 0;
    std::string label;  // Of kLabelValue: the key.
  };
  std::vector<Reference> References() const;

  // Puts values in the place of `params.<name>`; for each it names, `values` must give at least one.
  // INVALID_ARGUMENT: a value is not one that its identifier can have; `offset` says where.
  absl::Status Bind(const std::function<std::vector<std::string>(const std::string& name)>& values, SelectorError& error);

  // REQUIRES: bound, if it names parameters.
  bool Matches(const HostFacts& host) const;

 private:
  friend class SelectorParser;
  enum class Field { kName, kZone, kClass, kTrust, kAgent, kLabel };
  enum class Op { kAll, kAnd, kOr, kNot, kIn };
  struct Value {
    std::string text;
    size_t offset = 0;
    size_t length = 0;
    bool parameter = false;  // `text` is the parameter's name.
  };
  struct Expression {
    Op op = Op::kAll;
    std::vector<Expression> parts;  // Of kAnd, kOr, kNot.
    // Of kIn; `==` is a list of one, `!=` and `not in` stand in a kNot.
    Field field = Field::kName;
    std::string label;
    size_t label_offset = 0;
    std::vector<Value> values;
    std::vector<int> numbers;       // The values as words of the vocabulary, where the field has one.
  };
  static bool Resolve(Expression& expression, SelectorError& error);
  static bool BindIn(Expression& expression, const std::function<std::vector<std::string>(const std::string&)>& values,
                     SelectorError& error);
  static void Collect(const Expression& expression, std::vector<Reference>& found);
  static bool Matches(const Expression& expression, const HostFacts& host);

  bool empty_ = true;
  Expression root_;
};

}  // namespace reprise::plan
