#include "core/coordinator/state_gauges.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/engine/hosts_ahead.h"
#include "core/report/views.h"

namespace reprise::coordinator {
namespace {

namespace v1 = model::v1;
using prometheus::BuildGauge;
using prometheus::Family;
using prometheus::Gauge;

constexpr UnixMs kCoverageEvery = 5'000;  // It looks at every host and claim.

Gauge& Single(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

std::string WaveName(size_t wave) {
  return wave + 1 == StateGauges::kWavesMax ? absl::StrCat(wave, "+") : absl::StrCat(wave);
}

}  // namespace

StateGauges::StateGauges(prometheus::Registry& registry)
    : zones_(ForEach<v1::Zone>(registry, "reprise_hosts_by_zone", "Known hosts, by the zone in force.", "zone")),
      classes_(ForEach<v1::AssetClass>(registry, "reprise_hosts_by_class", "Known hosts, by asset class.", "class")),
      trusts_(ForEach<v1::TrustState>(registry, "reprise_hosts_by_trust", "Known hosts, by trust state.", "trust")),
      in_inventory_(Single(registry, "reprise_hosts_in_inventory", "Hosts that the last inventory names.")),
      enrolled_(Single(registry, "reprise_hosts_enrolled", "Hosts whose agent has joined.")),
      admitted_(Single(registry, "reprise_hosts_admitted", "Hosts about which people have signed a statement.")),
      on_hold_(Single(registry, "reprise_hosts_on_hold", "Hosts under an evidence hold.")),
      agents_expected_(Single(registry, "reprise_agents_expected", "Hosts of the inventory that can carry an agent.")),
      connected_(Single(registry, "reprise_agents_connected", "Agents with an open session.")),
      ahead_(Single(registry, "reprise_hosts_ahead",
                    "Hosts that know more than this coordinator: it was restored from an older copy.")),
      runs_(ForEach<v1::RunState>(registry, "reprise_runs", "Runs, by state.", "state")),
      targets_(ForEach<v1::TargetState>(registry, "reprise_run_targets", "Targets of active runs, by state.", "state")),
      waves_(ForEach<v1::WaveState>(registry, "reprise_run_waves", "Waves of active runs, by state.", "state")),
      gates_(ForEach<v1::GateState>(registry, "reprise_gates", "Gates of active runs, by state.", "state")),
      gate_wait_(Single(registry, "reprise_gate_wait_seconds", "How long the oldest ready gate has waited for people.")),
      coverage_ratio_(Single(registry, "reprise_edr_coverage_ratio",
                             "Workstations proven protected, of those in the inventory that can be; 0 when there are none.")),
      coverage_inventory_(
          Single(registry, "reprise_edr_coverage_inventory", "The denominator: workstations of the inventory.")),
      stop_active_(Single(registry, "reprise_stop_active", "1 while an emergency stop is in force.")),
      stop_asked_(Single(registry, "reprise_stop_agents_asked", "Agents asked to stop by the newest stop.")),
      stop_confirmed_(Single(registry, "reprise_stop_agents_confirmed", "Agents that confirmed the newest stop.")),
      keyring_version_(Single(registry, "reprise_keyring_version", "The newest version of the keyring.")),
      join_window_(Single(registry, "reprise_join_window_open", "1 while new hosts may join.")) {
  Family<Gauge>& waves = BuildGauge()
                             .Name("reprise_wave_targets")
                             .Help("Targets of active runs, by number of their wave and state.")
                             .Register(registry);
  for (size_t wave = 0; wave < kWavesMax; ++wave) {
    wave_targets_[wave] = ForEach<v1::TargetState>(waves, "state", {{"wave", WaveName(wave)}});
  }
  Family<Gauge>& coverage = BuildGauge()
                                .Name("reprise_edr_hosts")
                                .Help("Workstations of the inventory by proven protection; exempt ones are not among "
                                      "the denominator.")
                                .Register(registry);
  for (const char* state : {"holds", "fails", "unknown", "exempt"}) coverage_[state] = &coverage.Add({{"protection", state}});
}

void StateGauges::Look(const engine::Engine& engine, UnixMs now) {
  LookAtHosts(engine);
  LookAtRuns(engine);
  const journal::v1::State& state = engine.state();
  UnixMs oldest = now;
  for (const auto& run : state.runs()) {
    if (run.ended_ms() != 0) continue;
    for (const auto& gate : run.gates()) {
      if (gate.state() == v1::GATE_STATE_READY) oldest = std::min<UnixMs>(oldest, gate.ready_ms());
    }
  }
  gate_wait_.Set(static_cast<double>(now - oldest) / 1000);
  stop_active_.Set(state.stop().active() ? 1 : 0);
  stop_asked_.Set(state.stop().asked());
  stop_confirmed_.Set(state.stop().confirmed_size());
  keyring_version_.Set(state.keyring_size());
  join_window_.Set(state.join_until_ms() > now ? 1 : 0);
  LookAtCoverage(engine, now);
}

void StateGauges::LookAtHosts(const engine::Engine& engine) {
  std::map<int, double> zones, classes, trusts;
  double in_inventory = 0, enrolled = 0, admitted = 0, on_hold = 0, expected = 0, connected = 0;
  for (const auto& host : engine.state().hosts()) {
    zones[host.zone()] += 1;
    classes[host.asset_class()] += 1;
    trusts[host.trust()] += 1;
    in_inventory += host.in_inventory();
    enrolled += host.enrolled();
    admitted += host.has_statement();
    on_hold += !host.hold().empty();
    expected += host.in_inventory() && host.declared().agent_expected();
    connected += host.session() != 0;
  }
  Set(zones_, zones);
  Set(classes_, classes);
  Set(trusts_, trusts);
  in_inventory_.Set(in_inventory);
  enrolled_.Set(enrolled);
  admitted_.Set(admitted);
  on_hold_.Set(on_hold);
  agents_expected_.Set(expected);
  connected_.Set(connected);
  ahead_.Set(engine::CountAhead(engine.state()));
}

void StateGauges::LookAtRuns(const engine::Engine& engine) {
  std::map<int, double> runs, targets, waves, gates;
  std::array<std::map<int, double>, kWavesMax> by_wave;
  for (const auto& run : engine.state().runs()) {
    runs[run.state()] += 1;
    if (run.ended_ms() != 0) continue;
    for (const auto& gate : run.gates()) gates[gate.state()] += 1;
    for (const auto& stage : run.stages()) {
      for (const auto& wave : stage.waves()) waves[wave.state()] += 1;
      for (const auto& target : stage.targets()) {
        targets[target.state()] += 1;
        by_wave[std::min<size_t>(target.wave(), kWavesMax - 1)][target.state()] += 1;
      }
    }
  }
  Set(runs_, runs);
  Set(targets_, targets);
  Set(waves_, waves);
  Set(gates_, gates);
  for (size_t wave = 0; wave < kWavesMax; ++wave) Set(wave_targets_[wave], by_wave[wave]);
}

void StateGauges::LookAtCoverage(const engine::Engine& engine, UnixMs now) {
  if (coverage_at_ != 0 && now >= coverage_at_ && now < coverage_at_ + kCoverageEvery) return;
  coverage_at_ = now;
  operators::v1::CoverageRequest request;
  request.set_claim("edr.protected");
  const auto view = report::ViewOfCoverage(engine, request, now);
  if (!view.ok()) return;
  coverage_["holds"]->Set(view->holds());
  coverage_["fails"]->Set(view->fails());
  coverage_["unknown"]->Set(view->unknown());
  coverage_["exempt"]->Set(view->exempt());
  coverage_inventory_.Set(view->inventory());
  coverage_ratio_.Set(view->inventory() == 0 ? 0 : static_cast<double>(view->holds()) / view->inventory());
}

}  // namespace reprise::coordinator
