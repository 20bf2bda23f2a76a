#include "core/coordinator/metrics.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "core/coordinator/finding_gauges.h"
#include "core/coordinator/state_gauges.h"
#include "core/coordinator/task_metrics.h"

namespace reprise::coordinator {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kCommits = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};
const Histogram::BucketBoundaries kGroups = {1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000};
const Histogram::BucketBoundaries kStops = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30};

Gauge& NewGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

Counter& NewCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

Histogram& NewHistogram(prometheus::Registry& registry, const char* name, const char* help,
                        const Histogram::BucketBoundaries& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// What is counted elsewhere, given out as a counter.
void Raise(Counter& counter, double to) {
  if (to > counter.Value()) counter.Increment(to - counter.Value());
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  TaskMetrics tasks{registry};
  StateGauges gauges{registry};
  FindingGauges findings{registry};
  Counter& events = NewCounter(registry, "reprise_journal_events_total", "Events made durable since the start.");
  Histogram& commit = NewHistogram(registry, "reprise_journal_commit_seconds", "Time of one durable commit.", kCommits);
  Histogram& group = NewHistogram(registry, "reprise_journal_commit_events", "Events that shared one commit.", kGroups);
  Histogram& lag = NewHistogram(registry, "reprise_journal_lag_seconds",
                                "From the moment an input was handed over until its events were durable.", kCommits);
  Gauge& bytes = NewGauge(registry, "reprise_journal_bytes", "Size of the journal's files.");
  Gauge& since_snapshot =
      NewGauge(registry, "reprise_journal_events_since_snapshot", "What a restart would have to replay.");
  Gauge& writable = NewGauge(registry, "reprise_journal_writable", "0 while the journal refuses to be written.");
  Gauge& waiting = NewGauge(registry, "reprise_loop_inputs_waiting", "Batches of inputs that wait for a decision.");
  Counter& opened = NewCounter(registry, "reprise_sessions_opened_total", "Agents' sessions opened.");
  Counter& dropped =
      NewCounter(registry, "reprise_sessions_dropped_total", "Agents' sessions that the coordinator ended.");
  Counter& contested = NewCounter(registry, "reprise_sessions_contested_total",
                                  "Sessions that ended one from another address, once too often within minutes.");
  Counter& identities =
      NewCounter(registry, "reprise_identities_refused_total",
                 "Agents' calls by a certificate that was replaced, expelled or never on record.");
  Counter& throttled = NewCounter(registry, "reprise_agent_calls_throttled_total",
                                  "Sessions and renewals refused because a host asked for too many.");
  Counter& refused =
      NewCounter(registry, "reprise_connections_refused_total", "Connections not taken: too many, or no descriptor.");
  Counter& stops = NewCounter(registry, "reprise_stops_raised_total", "Emergency stops raised.");
  Histogram& stop_latency =
      NewHistogram(registry, "reprise_stop_latency_seconds",
                   "From the request of an emergency stop until an agent confirmed that all is ended.", kStops);
  Counter& breached = NewCounter(registry, "reprise_waves_breached_total", "Waves over their failure budget.");
  Gauge& memory = NewGauge(registry, "reprise_process_resident_memory_bytes", "Resident memory of the coordinator.");
  Gauge& descriptors = NewGauge(registry, "reprise_process_open_fds", "Open descriptors of the coordinator.");
};

Metrics::Metrics(const std::string& version, UnixMs started) : impl_(std::make_unique<Impl>()) {
  BuildGauge()
      .Name("reprise_build_info")
      .Help("Always 1; the version is a label.")
      .Register(impl_->registry)
      .Add({{"version", version}})
      .Set(1);
  NewGauge(impl_->registry, "reprise_process_start_time_seconds", "When the coordinator started, Unix time.")
      .Set(static_cast<double>(started) / 1000);
}

Metrics::~Metrics() = default;

void Metrics::OnEvents(const engine::Engine& engine, const std::vector<journal::v1::Event>& events) {
  using Event = journal::v1::Event;
  for (const Event& event : events) {
    switch (event.kind_case()) {
      case Event::kSessionOpened:
        impl_->opened.Increment();
        if (event.session_opened().contested()) impl_->contested.Increment();
        break;
      case Event::kStopRaised:
        impl_->stops.Increment();
        break;
      case Event::kStopConfirmed:
        impl_->stop_latency.Observe(static_cast<double>(event.stop_confirmed().latency_ms()) / 1000);
        break;
      case Event::kWaveEnded:
        if (event.wave_ended().state() == model::v1::WAVE_STATE_BREACHED) impl_->breached.Increment();
        break;
      default:
        impl_->tasks.OnEvent(engine, event);
    }
  }
}

void Metrics::OnCommit(double seconds, double lag_seconds, size_t events) {
  impl_->events.Increment(static_cast<double>(events));
  impl_->commit.Observe(seconds);
  impl_->group.Observe(static_cast<double>(events));
  impl_->lag.Observe(lag_seconds);
}

void Metrics::Look(const engine::Engine& engine, const Outside& outside, UnixMs now) {
  impl_->gauges.Look(engine, now);
  impl_->findings.Look(engine, now);
  impl_->waiting.Set(outside.inputs_waiting);
  impl_->bytes.Set(outside.journal_bytes);
  impl_->since_snapshot.Set(outside.events_since_snapshot);
  impl_->writable.Set(outside.journal_writable ? 1 : 0);
  Raise(impl_->dropped, outside.sessions_dropped);
  Raise(impl_->refused, outside.connections_refused);
  Raise(impl_->identities, outside.identities_refused);
  Raise(impl_->throttled, outside.calls_throttled);
  impl_->memory.Set(outside.resident_bytes);
  impl_->descriptors.Set(outside.descriptors);
}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(impl_->registry.Collect()); }

}  // namespace reprise::coordinator
