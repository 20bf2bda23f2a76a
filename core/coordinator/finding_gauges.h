// Gauges of what plugins found out: copies by verdict, applications by stage, the plugins' own numbers. Part of Metrics.
// The number of series is bounded whatever hosts say: of the plugins' numbers, the first so many by name and subject.
#pragma once

#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <utility>

#include "core/coordinator/gauges_by_word.h"
#include "core/engine/engine.h"

namespace reprise::coordinator {

class FindingGauges {
 public:
  static constexpr size_t kMeasuresMax = 256;

  explicit FindingGauges(prometheus::Registry& registry);
  // Looks at most every few seconds: at every host, every application, every copy that was judged.
  void Look(const engine::Engine& engine, UnixMs now);

 private:
  using Gauge = prometheus::Gauge;

  void LookAtMeasures(const engine::Engine& engine, UnixMs now);

  GaugesByNumber verdicts_, stages_;
  prometheus::Family<Gauge>& measures_;
  prometheus::Family<Gauge>& ages_;
  UnixMs looked_at_ = 0;
  std::map<std::pair<std::string, std::string>, std::pair<Gauge*, Gauge*>> shown_;  // By name and subject: value, age.
};

}  // namespace reprise::coordinator
