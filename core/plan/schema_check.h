// Parameters of a step against its action's JSON Schema, each finding at its own key in the document. Private to
// core/plan; valijson stays in the .cc file, because it is heavy.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/plan/diagnostics.h"
#include "core/plan/node.h"

namespace reprise::plan {

class SchemaCheck {
 public:
  // INVALID_ARGUMENT: it is no JSON Schema. `schema` must outlive this.
  static absl::StatusOr<std::unique_ptr<SchemaCheck>> Make(const Json& schema);
  ~SchemaCheck();

  // What `step` says is at `with` (nullptr: nothing), what is missing at `step`. Gives whether all is right. `whose`
  // ends the message: "" or " (for host ws-001)". `diagnostics` may be nullptr: only whether it is right.
  bool Check(const Json& params, const Node* with, Place step, const std::string& whose, Diagnostics* diagnostics);

 private:
  struct Compiled;
  explicit SchemaCheck(const Json& schema);
  bool CheckKeys(const Json& params, const Node* with, Place step, Diagnostics* diagnostics) const;

  const Json& schema_;
  size_t text_max_ = 0;
  std::unique_ptr<Compiled> compiled_;
};

// "a text", "a whole number from 0 to 10", "one of lax, strict" for a value's schema.
std::string DescribeSchema(const Json& schema);

}  // namespace reprise::plan
