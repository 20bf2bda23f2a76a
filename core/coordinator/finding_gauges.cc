#include "core/coordinator/finding_gauges.h"

#include <algorithm>

#include "core/report/views.h"

namespace reprise::coordinator {

using prometheus::BuildGauge;

constexpr UnixMs kLookEvery = 5'000;

FindingGauges::FindingGauges(prometheus::Registry& registry)
    : verdicts_(ForEach<model::v1::BackupVerdict>(registry, "reprise_recovery_points",
                                                  "Copies that were judged, by their newest verdict.", "verdict")),
      stages_(ForEach<model::v1::AppStage>(registry, "reprise_applications",
                                           "Applications that any adapter spoke of, by stage.", "stage")),
      measures_(BuildGauge()
                    .Name("reprise_measure")
                    .Help("A plugin's own number, the sum over the hosts that told it.")
                    .Register(registry)),
      ages_(BuildGauge()
                .Name("reprise_measure_age_seconds")
                .Help("How long ago the oldest part of that number was told.")
                .Register(registry)) {}

void FindingGauges::Look(const engine::Engine& engine, UnixMs now) {
  if (looked_at_ != 0 && now >= looked_at_ && now < looked_at_ + kLookEvery) return;
  looked_at_ = now;
  std::map<int, double> verdicts, stages;
  for (const auto& point : engine.state().recovery_points()) verdicts[point.verdict().verdict()] += 1;
  const auto board = report::ViewOfBoard(engine);
  for (const auto& application : board.applications()) stages[application.stage()] += 1;
  Set(verdicts_, verdicts);
  Set(stages_, stages);
  LookAtMeasures(engine, now);
}

void FindingGauges::LookAtMeasures(const engine::Engine& engine, UnixMs now) {
  struct Sum {
    double value = 0;
    UnixMs oldest = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const auto& host : engine.state().hosts()) {
    for (const auto& record : host.measures()) {
      Sum& sum = sums[{record.measure().name(), record.measure().subject()}];
      sum.value += record.measure().value();
      sum.oldest = sum.oldest == 0 ? record.at_ms() : std::min<UnixMs>(sum.oldest, record.at_ms());
    }
  }
  for (const auto& [key, sum] : sums) {
    auto found = shown_.find(key);
    if (found == shown_.end()) {
      if (shown_.size() >= kMeasuresMax) continue;
      const std::map<std::string, std::string> labels = {{"name", key.first}, {"subject", key.second}};
      found = shown_.emplace(key, std::make_pair(&measures_.Add(labels), &ages_.Add(labels))).first;
    }
    found->second.first->Set(sum.value);
    found->second.second->Set(static_cast<double>(std::max<UnixMs>(0, now - sum.oldest)) / 1000);
  }
}

}  // namespace reprise::coordinator
