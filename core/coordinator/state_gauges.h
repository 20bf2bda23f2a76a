// Gauges that are the state, counted: hosts, runs, waves, gates, coverage. Part of Metrics.
#pragma once

#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <string>

#include "core/coordinator/gauges_by_word.h"
#include "core/engine/engine.h"

namespace reprise::coordinator {

class StateGauges {
 public:
  // Waves beyond are counted with the last.
  static constexpr size_t kWavesMax = 10;

  explicit StateGauges(prometheus::Registry& registry);
  void Look(const engine::Engine& engine, UnixMs now);

 private:
  using Gauge = prometheus::Gauge;

  void LookAtHosts(const engine::Engine& engine);
  void LookAtRuns(const engine::Engine& engine);
  void LookAtCoverage(const engine::Engine& engine, UnixMs now);

  GaugesByNumber zones_, classes_, trusts_;
  Gauge &in_inventory_, &enrolled_, &admitted_, &on_hold_, &agents_expected_, &connected_, &ahead_;
  GaugesByNumber runs_, targets_, waves_, gates_;
  std::array<GaugesByNumber, kWavesMax> wave_targets_;
  Gauge& gate_wait_;
  std::map<std::string, Gauge*> coverage_;
  Gauge &coverage_ratio_, &coverage_inventory_;
  Gauge &stop_active_, &stop_asked_, &stop_confirmed_;
  Gauge &keyring_version_, &join_window_;
  UnixMs coverage_at_ = 0;
};

}  // namespace reprise::coordinator
