// Steps of a workflow as steps of a plan: plugins named by hash, artifacts by content, parameters filled in and checked
// against the action's schema. Private to core/plan.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/plan/catalog.h"
#include "core/plan/interpolate.h"
#include "core/plan/recovery_points.h"
#include "core/plan/schema_check.h"
#include "core/plan/targets.h"
#include "core/plan/workflow.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

struct StepDraft {
  const StepSpec* spec = nullptr;
  const ActionSpec* action = nullptr;
  v1::Step step;
  Template params;
  std::unique_ptr<SchemaCheck> check;
};

class StepCompiler {
 public:
  // Plugins and artifacts that steps use are added to `header`. All arguments must outlive this.
  StepCompiler(const Workflow& workflow, const ParameterValues& values, const Catalog& catalog, v1::PlanHeader& header,
               RecoveryPoints& points, Diagnostics& diagnostics)
      : workflow_(workflow),
        values_(values),
        catalog_(catalog),
        header_(header),
        points_(points),
        diagnostics_(diagnostics) {}

  // nullopt: it cannot be made, which has been reported.
  std::optional<StepDraft> Compile(const StepSpec& spec);

  // The step's parameters for each of these hosts, as JSON; empty when they are the same for all. What hosts lack, and
  // what the schema refuses for some of them, is reported.
  std::vector<std::string> ParamsOf(StepDraft& draft, const std::vector<Target>& targets);

 private:
  const ActionSpec* FindAction(const StepSpec& spec, const PluginSpec** plugin);
  uint32_t PluginIndex(const PluginSpec& plugin);
  void AddArtifacts(const StepSpec& spec, v1::Step& step);
  // A text with ${params.…} filled in. nullopt: it is none, or names a host, which has been reported.
  std::optional<Placed> Filled(const Node& said, const char* expected);
  // The copy that a restoring step names, into the plan and into its parameters.
  void AddRecoveryPoint(const StepSpec& spec, StepDraft& draft);

  const Workflow& workflow_;
  const ParameterValues& values_;
  const Catalog& catalog_;
  v1::PlanHeader& header_;
  RecoveryPoints& points_;
  Diagnostics& diagnostics_;
};

// `on_failure: rollback` where nothing could be undone is an error; where something would stay, a warning.
void CheckRollback(const std::vector<StepDraft>& steps, Diagnostics& diagnostics);

}  // namespace reprise::plan
