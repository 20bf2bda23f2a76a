// What stands beside a run's record: its plan, its order of stages, its hosts, its tokens. Rebuilt from the record at
// any time.
#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/book.h"

namespace reprise::engine {
namespace {

using journal::v1::TargetRecord;

// For a file to come over a slow line, beside the step's own timeout.
constexpr int64_t kFetchBytesPerMs = 256;

std::vector<uint32_t> Reachable(size_t from, size_t count, const std::function<bool(size_t, size_t)>& edge) {
  std::vector<bool> seen(count, false);
  std::vector<size_t> open = {from};
  while (!open.empty()) {
    const size_t at = open.back();
    open.pop_back();
    for (size_t to = 0; to < count; ++to) {
      if (seen[to] || !edge(at, to)) continue;
      seen[to] = true;
      open.push_back(to);
    }
  }
  std::vector<uint32_t> found;
  for (size_t i = 0; i < count; ++i) {
    if (seen[i]) found.push_back(static_cast<uint32_t>(i));
  }
  return found;
}

void IndexSteps(const plan::v1::PlanHeader& header, StageBook& stage) {
  for (const auto& step : stage.plan->steps()) {
    auto& tokens = stage.tokens.emplace_back();
    for (const auto& token : step.tokens()) {
      for (int c = 0; c < header.capacities_size(); ++c) {
        if (header.capacities(c).token() == token.token()) {
          tokens.emplace_back(static_cast<uint32_t>(c), token.amount());
        }
      }
    }
    int64_t grace = 0;
    for (const uint32_t artifact : step.artifacts()) {
      grace += static_cast<int64_t>(header.artifacts(static_cast<int>(artifact)).size()) / kFetchBytesPerMs;
    }
    stage.grace_ms.push_back(grace);
    stage.changes_hosts = stage.changes_hosts || step.effect() > model::v1::EFFECT_READ;
  }
}

}  // namespace

absl::Status Book::IndexRun(RunBook& run) {
  ASSIGN_OR_RETURN(KnownPlan * plan, PlanNamed(run.record->plan_id()));
  run.plan = plan->index;
  run.plan_record = plan->record;
  const plan::v1::PlanHeader& header = run.plan->header;
  const auto count = static_cast<size_t>(header.stages_size());
  if (static_cast<size_t>(run.record->stages_size()) != count) {
    return absl::DataLossError(absl::StrCat("run ", run.id, " does not have the stages of its plan"));
  }
  run.tokens_used.assign(static_cast<size_t>(header.capacities_size()), 0);
  const auto comes_after = [&header](size_t stage, size_t before) {
    const auto& after = header.stages(static_cast<int>(stage)).after();
    return std::find(after.begin(), after.end(), before) != after.end();
  };
  run.stages.resize(count);
  for (size_t s = 0; s < count; ++s) {
    StageBook& stage = run.stages[s];
    stage.plan = &header.stages(static_cast<int>(s));
    stage.record = run.record->mutable_stages(static_cast<int>(s));
    stage.waves.resize(static_cast<size_t>(stage.plan->waves_size()));
    if (stage.record->waves_size() != stage.plan->waves_size()) {
      return absl::DataLossError(absl::StrCat("run ", run.id, " does not have the waves of its plan"));
    }
    stage.ancestors = Reachable(s, count, comes_after);
    stage.descendants = Reachable(s, count, [&](size_t a, size_t b) { return comes_after(b, a); });
    IndexSteps(header, stage);
    stage.target_of_leaf.assign(run.plan->leaves.size(), -1);
    for (int t = 0; t < stage.record->targets_size(); ++t) {
      TargetRecord& target = *stage.record->mutable_targets(t);
      if (target.host() >= run.plan->leaves.size() || target.wave() >= stage.waves.size()) {
        return absl::DataLossError(absl::StrCat("run ", run.id, " has a target that its plan does not have"));
      }
      stage.target_of_leaf[target.host()] = t;
      stage.hosts.push_back(&HostNamed(run.plan->leaves[target.host()].host()));
      stage.waves[target.wave()].targets.push_back(static_cast<uint32_t>(t));
      run.total += 1;
      Count({&run, &stage, &target, {run.id, static_cast<uint32_t>(s), static_cast<uint32_t>(t)}}, +1);
    }
  }
  if (IsActive(run.record->state())) Enlist(run);
  return absl::OkStatus();
}

void Book::Enlist(RunBook& run) {
  for (uint32_t s = 0; s < run.stages.size(); ++s) {
    for (uint32_t t = 0; t < run.stages[s].hosts.size(); ++t) {
      auto& targets = run.stages[s].hosts[t]->targets;
      const TargetId id = {run.id, s, t};
      targets.insert(std::lower_bound(targets.begin(), targets.end(), id), id);
      Touch(*run.stages[s].hosts[t]);
    }
    for (const auto& requirement : run.stages[s].plan->requirements()) {
      HostNamed(requirement.host()).awaited_by.push_back({run.id, s});
    }
  }
}

void Book::Dismiss(RunBook& run) {
  for (StageBook& stage : run.stages) {
    for (HostBook* host : stage.hosts) {
      std::erase_if(host->targets, [&](const TargetId& id) { return id.run == run.id; });
    }
    for (const auto& requirement : stage.plan->requirements()) {
      std::erase_if(HostNamed(requirement.host()).awaited_by, [&](const StageId& id) { return id.run == run.id; });
    }
  }
}

}  // namespace reprise::engine
