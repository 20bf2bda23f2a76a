// What Prometheus is told. Counters and durations follow the journal's events as they become durable; gauges are computed
// from the state when somebody asks. The number of series does not depend on how many hosts, runs or tasks there are:
// labels are words of the vocabulary, wave numbers up to a limit, and plugins' actions up to a limit.
// docs/METRICS.md lists them all. Not thread-safe: the loop's, except Text.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/coordinator/loop.h"
#include "core/engine/engine.h"

namespace reprise::coordinator {

class Metrics final : public LoopObserver {
 public:
  // What is known outside the state.
  struct Outside {
    double inputs_waiting = 0;
    double sessions_dropped = 0;
    double connections_refused = 0;
    double identities_refused = 0;
    double calls_throttled = 0;
    double journal_bytes = 0;
    double events_since_snapshot = 0;
    bool journal_writable = true;
    double resident_bytes = 0;
    double descriptors = 0;
  };

  Metrics(const std::string& version, UnixMs started);
  ~Metrics() override;

  void OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) override;
  void OnCommit(double seconds, double lag_seconds, size_t events) override;

  // Sets the gauges.
  void Look(const engine::Engine& engine, const Outside& outside, UnixMs now);
  // In Prometheus' text format. Any thread.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reprise::coordinator
