#include "core/coordinator/task_metrics.h"

#include "core/model/names.h"

namespace reprise::coordinator {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildHistogram;
using prometheus::Histogram;

constexpr size_t kOnTheWayMax = 100'000;

const std::pair<std::string, std::string> kOther("other", "other");
const Histogram::BucketBoundaries kDurations = {0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600};
const Histogram::BucketBoundaries kLatencies = {0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30};

}  // namespace

TaskMetrics::TaskMetrics(prometheus::Registry& registry)
    : dispatched_(BuildCounter()
                      .Name("reprise_tasks_dispatched_total")
                      .Help("Tasks handed to agents, by plugin and action.")
                      .Register(registry)),
      finished_(BuildCounter()
                    .Name("reprise_tasks_finished_total")
                    .Help("Attempts that ended, by plugin, action and outcome.")
                    .Register(registry)),
      duration_(BuildHistogram()
                    .Name("reprise_task_duration_seconds")
                    .Help("How long attempts took on their hosts, by plugin and action.")
                    .Register(registry)),
      lost_(BuildCounter()
                .Name("reprise_tasks_lost_total")
                .Help("Tasks whose fate was unknown when their host fell silent.")
                .Register(registry)
                .Add({})),
      dispatch_latency_(BuildHistogram()
                            .Name("reprise_dispatch_latency_seconds")
                            .Help("From the decision to send a task until its agent has made it durable.")
                            .Register(registry)
                            .Add({}, kLatencies)),
      start_delay_(BuildHistogram()
                       .Name("reprise_task_start_delay_seconds")
                       .Help("From a task's arrival at its agent until the plugin's first instruction.")
                       .Register(registry)
                       .Add({}, kLatencies)) {
  // From the first scrape on there is something to draw and to alert on.
  Find(kOther);
}

TaskMetrics::Series& TaskMetrics::SeriesOf(const engine::Engine& engine, uint64_t run, uint32_t stage, uint32_t step) {
  Name name = kOther;
  const journal::v1::RunRecord* record = engine.FindRun(run);
  const engine::PlanIndex* plan = record == nullptr ? nullptr : engine.FindPlan(record->plan_id());
  if (plan != nullptr && stage < static_cast<uint32_t>(plan->header.stages_size()) &&
      step < static_cast<uint32_t>(plan->header.stages(static_cast<int>(stage)).steps_size())) {
    const plan::v1::Step& known = plan->header.stages(static_cast<int>(stage)).steps(static_cast<int>(step));
    name = {plan->header.plugins(static_cast<int>(known.plugin())).name(), known.action()};
  }
  if (!series_.contains(name) && series_.size() > kActionsMax) name = kOther;
  return Find(name);
}

TaskMetrics::Series& TaskMetrics::Find(const Name& name) {
  const auto [found, is_new] = series_.try_emplace(name);
  Series& series = found->second;
  if (is_new) {
    series.labels = {{"plugin", name.first}, {"action", name.second}};
    series.dispatched = &dispatched_.Add(series.labels);
    series.duration = &duration_.Add(series.labels, kDurations);
    for (int outcome = model::v1::Outcome_MIN + 1; outcome <= model::v1::Outcome_MAX; ++outcome) {
      auto labels = series.labels;
      labels["outcome"] = model::NameOf(static_cast<model::v1::Outcome>(outcome));
      series.finished[outcome] = &finished_.Add(labels);
    }
  }
  return series;
}

void TaskMetrics::OnEvent(const engine::Engine& engine, const journal::v1::Event& event) {
  using Event = journal::v1::Event;
  switch (event.kind_case()) {
    case Event::kTaskDispatched: {
      const auto& task = event.task_dispatched();
      SeriesOf(engine, task.run(), task.stage(), task.step()).dispatched->Increment();
      if (on_the_way_.size() < kOnTheWayMax) on_the_way_[{task.run(), task.stage(), task.host()}] = event.at_ms();
      break;
    }
    case Event::kTaskAccepted: {
      const auto& task = event.task_accepted();
      const auto sent = on_the_way_.find({task.run(), task.stage(), task.host()});
      if (sent == on_the_way_.end()) break;
      dispatch_latency_.Observe(static_cast<double>(event.at_ms() - sent->second) / 1000);
      on_the_way_.erase(sent);
      break;
    }
    case Event::kTaskFinished: {
      const auto& task = event.task_finished();
      const auto& finished = task.finished();
      on_the_way_.erase({task.run(), task.stage(), task.host()});
      Series& series = SeriesOf(engine, task.run(), task.stage(), finished.key().step());
      if (const auto counter = series.finished.find(finished.outcome()); counter != series.finished.end()) {
        counter->second->Increment();
      }
      if (finished.outcome() == model::v1::OUTCOME_REFUSED) break;
      series.duration->Observe(static_cast<double>(finished.duration_ms()) / 1000);
      if (finished.start_delay_us() > 0) start_delay_.Observe(static_cast<double>(finished.start_delay_us()) / 1e6);
      break;
    }
    case Event::kTaskLost: {
      const auto& task = event.task_lost();
      on_the_way_.erase({task.run(), task.stage(), task.host()});
      lost_.Increment();
      break;
    }
    case Event::kRunEnded:
      absl::erase_if(on_the_way_, [&](const auto& entry) { return std::get<0>(entry.first) == event.run_ended().run(); });
      break;
    default:
      break;
  }
}

}  // namespace reprise::coordinator
