// `with:` of a step: ${params.NAME} filled in once, ${host.…} kept to be filled in for each host. Private to core/plan.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/plan/diagnostics.h"
#include "core/plan/inventory.h"
#include "core/plan/node.h"
#include "core/plan/parameters.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

class Template {
 public:
  // `with` may be nullptr: then it is an empty object. What is wrong is reported at its place: unknown references with
  // the nearest name, parameters without a value, and secret ones, which a plan may not hold.
  static Template Read(const Node* with, const Workflow& workflow, const ParameterValues& values,
                       Diagnostics& diagnostics);

  // Adds a value that the planner itself gives, the same for all hosts.
  void Put(const std::string& name, Json value) { params_[name] = std::move(value); }

  // With the parameters filled in; what names a host stands as it was written.
  const Json& params() const { return params_; }
  bool names_host() const { return !host_texts_.empty(); }

  // For one host. What the host does not have is left empty, and told by Missing.
  Json For(const Host& host) const;

  // What a host lacks: the reference as it was written, and where.
  struct Lack {
    std::string reference;  // "host.labels.site"
    Place place;
  };
  std::vector<Lack> Missing(const Host& host) const;

 private:
  struct Piece {
    enum class Kind { kText, kName, kAddress, kLabel };
    Kind kind = Kind::kText;
    std::string text;  // Or the label's key.
    Place place;
  };
  struct HostText {
    Json::json_pointer where;
    std::vector<Piece> pieces;
  };
  friend class TemplateReader;

  Json params_ = Json::object();
  std::vector<HostText> host_texts_;
};

}  // namespace reprise::plan
