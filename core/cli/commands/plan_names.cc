#include "absl/strings/str_cat.h"
#include "core/cli/commands/event_text.h"

namespace reprise::cli {

void PlanNames::See(const journal::v1::Event& event) {
  if (event.has_plan_submitted()) AddPlan(event.plan_submitted().bundle());
  if (event.has_run_started()) AddRun(event.run_started().run(), event.run_started().plan_id());
}

void PlanNames::AddPlan(const plan::v1::PlanBundle& bundle) {
  Plan plan;
  if (!plan.header.ParseFromString(bundle.header())) return;
  for (const std::string& bytes : bundle.leaves()) {
    plan::v1::HostLeaf leaf;
    plan.hosts.push_back(leaf.ParseFromString(bytes) ? leaf.host() : "?");
  }
  const std::string id = plan.header.plan_id();
  plans_[id] = std::move(plan);
}

void PlanNames::AddRun(uint64_t run, const std::string& plan_id) { plan_of_run_[run] = plan_id; }

bool PlanNames::Knows(uint64_t run) const { return Of(run) != nullptr; }

const PlanNames::Plan* PlanNames::Of(uint64_t run) const {
  const auto id = plan_of_run_.find(run);
  if (id == plan_of_run_.end()) return nullptr;
  const auto plan = plans_.find(id->second);
  return plan == plans_.end() ? nullptr : &plan->second;
}

const plan::v1::Stage* PlanNames::StageOf(uint64_t run, uint32_t stage) const {
  const Plan* plan = Of(run);
  return plan == nullptr || stage >= static_cast<uint32_t>(plan->header.stages_size())
             ? nullptr
             : &plan->header.stages(static_cast<int>(stage));
}

std::string PlanNames::Host(uint64_t run, uint32_t host) const {
  const Plan* plan = Of(run);
  return plan == nullptr || host >= plan->hosts.size() ? absl::StrCat("host ", host) : plan->hosts[host];
}

std::string PlanNames::Stage(uint64_t run, uint32_t stage) const {
  const plan::v1::Stage* found = StageOf(run, stage);
  return found == nullptr ? absl::StrCat("stage ", stage) : found->name();
}

std::string PlanNames::Wave(uint64_t run, uint32_t stage, uint32_t wave) const {
  const plan::v1::Stage* found = StageOf(run, stage);
  const std::string name = found == nullptr || wave >= static_cast<uint32_t>(found->waves_size())
                               ? absl::StrCat("wave ", wave)
                               : found->waves(static_cast<int>(wave)).name();
  return absl::StrCat(Stage(run, stage), "/", name);
}

std::string PlanNames::Step(uint64_t run, uint32_t stage, uint32_t step) const {
  const plan::v1::Stage* found = StageOf(run, stage);
  const std::string name = found == nullptr || step >= static_cast<uint32_t>(found->steps_size())
                               ? absl::StrCat("step ", step)
                               : found->steps(static_cast<int>(step)).name();
  return absl::StrCat(Stage(run, stage), "/", name);
}

}  // namespace reprise::cli
