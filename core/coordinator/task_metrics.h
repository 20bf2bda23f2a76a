// Counters and durations of tasks, by plugin and action. Part of Metrics.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "core/engine/engine.h"

namespace reprise::coordinator {

class TaskMetrics {
 public:
  // Pairs of plugin and action beyond this are counted as "other".
  static constexpr size_t kActionsMax = 48;

  explicit TaskMetrics(prometheus::Registry& registry);
  void OnEvent(const engine::Engine& engine, const journal::v1::Event& event);

 private:
  using Task = std::tuple<uint64_t, uint32_t, uint32_t>;  // run, stage, leaf
  struct Series {
    std::map<std::string, std::string> labels;
    prometheus::Counter* dispatched = nullptr;
    prometheus::Histogram* duration = nullptr;
    std::map<int, prometheus::Counter*> finished;  // By outcome.
  };
  using Name = std::pair<std::string, std::string>;  // plugin, action
  Series& Find(const Name& name);
  Series& SeriesOf(const engine::Engine& engine, uint64_t run, uint32_t stage, uint32_t step);

  prometheus::Family<prometheus::Counter>& dispatched_;
  prometheus::Family<prometheus::Counter>& finished_;
  prometheus::Family<prometheus::Histogram>& duration_;
  prometheus::Counter& lost_;
  prometheus::Histogram& dispatch_latency_;
  prometheus::Histogram& start_delay_;
  std::map<Name, Series> series_;
  absl::flat_hash_map<Task, UnixMs> on_the_way_;  // When it was dispatched; until it is accepted.
};

}  // namespace reprise::coordinator
