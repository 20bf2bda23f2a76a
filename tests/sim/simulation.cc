#include "tests/sim/simulation.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "tests/sim/agent_node.h"
#include "tests/sim/clockwork.h"
#include "tests/sim/coordinator_node.h"
#include "tests/sim/copies.h"
#include "tests/sim/network.h"
#include "tests/sim/people_at_work.h"
#include "tests/sim/thief.h"
#include "tests/sim/verified_once.h"
#include "tests/sim/witness.h"

namespace reprise::sim {
namespace {

using engine::testing::HostName;
using engine::testing::kHour;
using engine::testing::kNoon;
using engine::testing::People;
using engine::testing::PlanDraft;
namespace v1 = ::reprise::model::v1;

constexpr int64_t kFaultyMs = 10 * 60 * 1000;
// Shorter than most plans live: what hangs is not to be ended by its expiry.
constexpr int64_t kQuietMs = 3 * kHour;

class Simulation {
 public:
  Simulation(uint64_t seed, const Bugs& bugs, bool verbose)
      : bugs_(bugs),
        clockwork_(seed, kNoon + kHour, verbose),
        people_at_work_(clockwork_, coordinator_, witness_, drafts_, people_),
        thief_(clockwork_, network_, witness_, drafts_, people_) {}

  Outcome Run();

 private:
  void MakePlan(int number);
  void SetUp();
  void Begin();
  void Watch();
  void StepSomeClock();
  AgentNode& SomeAgent() {
    return *agents_[static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(agents_.size()) - 1))];
  }
  std::string SomeHost() {
    return HostName(static_cast<size_t>(clockwork_.Between(1, static_cast<int64_t>(agents_.size()))));
  }
  bool Until(UnixMs end, const std::function<bool()>& over);

  Bugs bugs_;
  Faults faults_ = {};
  People people_;
  Clockwork clockwork_;
  Witness witness_;
  Network network_{clockwork_, faults_};
  CoordinatorNode coordinator_{clockwork_, network_, witness_, faults_, bugs_};
  std::vector<PlanDraft> drafts_;
  PeopleAtWork people_at_work_;
  Thief thief_;
  std::vector<std::unique_ptr<AgentNode>> agents_;
  bool coordinator_up_ = false;
};

void Simulation::MakePlan(int number) {
  Clockwork& c = clockwork_;
  const bool reads = c.Chance(0.15);
  PlanDraft draft(people_, reads ? v1::EFFECT_READ : v1::EFFECT_CHANGE, absl::StrCat("plan-0000000", number));
  const auto hosts = static_cast<int64_t>(agents_.size());
  const bool hurried = c.Chance(0.2);  // Expires in the middle of the work, and of undoing it.
  if (hurried) draft.header.set_expires_ms(clockwork_.now() + c.Between(60, 700) * 1000);
  draft.header.set_expires_ms(draft.header.expires_ms() / 1000 * 1000);
  draft.header.mutable_limits()->set_per_host_max(static_cast<uint32_t>(c.Between(1, 2)));
  if (c.Chance(0.3)) draft.header.mutable_limits()->set_in_flight_max(static_cast<uint32_t>(c.Between(1, 4)));
  if (c.Chance(0.2))
    draft.header.mutable_limits()->mutable_budget()->set_max_percent(static_cast<uint32_t>(c.Between(10, 60)));
  const bool tokens = c.Chance(0.4);
  if (tokens) {
    draft.header.add_capacities()->set_token("backup-server");
    draft.header.mutable_capacities(0)->set_amount(static_cast<uint32_t>(c.Between(1, 3)));
  }
  const int64_t stages = c.Between(1, 3);
  const bool restores = !reads && stages > 1 && c.Chance(0.5);  // Judged by what comes before.
  for (int64_t s = 0; s < stages; ++s) {
    std::vector<size_t> sizes;
    for (int64_t left = c.Between(1, hosts); left > 0;) {
      sizes.push_back(static_cast<size_t>(c.Between(1, left)));
      left -= static_cast<int64_t>(sizes.back());
    }
    std::vector<uint32_t> after;
    if (s > 0 && c.Chance(0.8)) after.push_back(static_cast<uint32_t>(c.Between(0, s - 1)));
    plan::v1::Stage& stage = draft.AddStage(absl::StrCat("stage-", s), sizes, after);
    stage.set_unreachable(static_cast<v1::Unreachable>(c.Between(v1::UNREACHABLE_DEFER, v1::UNREACHABLE_WAIT)));
    stage.set_unreachable_after_ms(c.Between(0, 60) * 1000);
    // Never the last: what is repeated ends with the others.
    if (reads && s + 1 < stages && c.Chance(0.5)) stage.set_repeat_ms(c.Between(10, 90) * 1000);
    // What an earlier stage proves again and again.
    if (s > 0 && draft.header.stages(static_cast<int>(s) - 1).repeat_ms() > 0 && c.Chance(0.6)) {
      plan::v1::Requirement& requirement = *stage.add_requirements();
      requirement.set_claim("mock.protected");
      requirement.set_host(HostName(1));
      requirement.set_within_ms(c.Between(20, 300) * 1000);
    }
    if (c.Chance(0.4)) stage.set_in_flight_max(static_cast<uint32_t>(c.Between(1, 3)));
    if (c.Chance(0.4)) stage.mutable_wave_budget()->set_max_failures(static_cast<uint32_t>(c.Between(0, 2)));
    if (c.Chance(0.3)) draft.AddGate(stage, absl::StrCat("before-", s), -1, static_cast<uint32_t>(c.Between(1, 2)));
    if (sizes.size() > 1 && c.Chance(0.4))
      draft.AddGate(stage, absl::StrCat("canary-", s), 1, static_cast<uint32_t>(c.Between(1, 2)));
    for (int64_t k = c.Between(1, 3), i = 0; i < k; ++i) {
      plan::v1::Step& step = draft.AddStep(stage, absl::StrCat("step-", i));
      step.set_action(ActionOf(draft.header.plan_id(), static_cast<uint32_t>(s), static_cast<uint32_t>(i)));
      step.set_timeout_ms(c.Between(5, 60) * 1000);
      step.set_retries(static_cast<uint32_t>(c.Between(0, 2)));
      step.set_backoff_ms(c.Between(100, 5000));
      step.set_backoff_max_ms(10'000);
      step.set_attempts_max(static_cast<uint32_t>(c.Chance(0.3) ? c.Between(1, 2) : c.Between(3, 20)));
      step.set_undoable(!reads && c.Chance(0.7));
      step.set_on_failure(static_cast<v1::OnFailure>(c.Between(v1::ON_FAILURE_STOP, v1::ON_FAILURE_ROLLBACK)));
      if (hurried && c.Chance(0.8)) {
        step.set_on_failure(v1::ON_FAILURE_ROLLBACK);
        step.set_undoable(!reads);
        step.set_backoff_ms(c.Between(2000, 30'000));
        step.set_backoff_max_ms(60'000);
      }
      if (restores && s + 1 == stages && c.Chance(0.5)) RestoreFromSomeCopy(c, step);
      if (tokens && c.Chance(0.5)) {
        step.add_tokens()->set_token("backup-server");
        step.mutable_tokens(0)->set_amount(1);
      }
    }
  }
  std::vector<plan::v1::HostLeaf> leaves;
  for (const auto& bytes : draft.Leaves()) leaves.emplace_back().ParseFromString(bytes);
  witness_.PlanIs(draft.header, leaves);
  if (reads) {
    for (size_t h = 0; h < agents_.size(); ++h) {
      for (int s = 0; s < draft.header.stages_size(); ++s) {
        for (int i = 0; i < draft.header.stages(s).steps_size(); ++i) {
          agents_[h]->SetReality(draft.header.stages(s).steps(i).action(), c.Chance(0.8));
        }
      }
    }
  }
  drafts_.push_back(std::move(draft));
}

void Simulation::SetUp() {
  network_.SetEnds(
      {[this](const auto& host, uint64_t link, const auto& message) { coordinator_.Hear(host, link, message); },
       [this](const auto& host, uint64_t link, const auto& message) {
         for (size_t i = 0; i < agents_.size(); ++i) {
           if (HostName(i + 1) == host) agents_[i]->Hear(link, message);
         }
       },
       [this](const auto& host, uint64_t link) { coordinator_.LinkIsLost(host, link); },
       [this](const auto& host, uint64_t link) {
         for (size_t i = 0; i < agents_.size(); ++i) {
           if (HostName(i + 1) == host) agents_[i]->LinkIsLost(link);
         }
       },
       [this](const auto& host, const auto& message) { thief_.Overhear(host, message); }});
  const auto hosts = static_cast<size_t>(clockwork_.Between(1, clockwork_.Chance(0.1) ? 16 : 6));
  for (size_t i = 1; i <= hosts; ++i) {
    agents_.push_back(std::make_unique<AgentNode>(HostName(i), agents::testing::EnrolledRecords(people_, HostName(i)),
                                                  clockwork_, network_, witness_, faults_, bugs_, coordinator_up_));
  }
  coordinator_.Start();
  engine::Command command;
  command.operator_name = "alice";
  const auto say = [&](auto request) {
    command.request = std::move(request);
    coordinator_.Command(command);
  };
  operators::v1::ExtendKeyringRequest keyring;
  *keyring.mutable_statement() = people_.chain().front();
  say(keyring);
  operators::v1::ImportInventoryRequest inventory;
  engine::Command::Issue issue;
  operators::v1::HostStatementsRequest statements;
  std::vector<std::string> names;
  issue.join_until = clockwork_.now() + kHour;
  for (size_t i = 1; i <= hosts; ++i) {
    names.push_back(HostName(i));
    auto& host = *inventory.add_hosts();
    host.set_name(HostName(i));
    host.set_zone(v1::ZONE_DIRTY);
    host.set_asset_class(v1::ASSET_CLASS_WORKSTATION);
    host.set_trust(v1::TRUST_STATE_UNKNOWN);
    auto& token = issue.tokens.emplace_back();
    token.set_host(HostName(i));
    token.set_secret_sha256(crypto::Sha256(HostName(i)));
    token.set_expires_ms(issue.join_until);
    *statements.add_statements() = people_at_work_.Admit(HostName(i), 1, "", v1::ZONE_DIRTY);
  }
  people_at_work_.SetHosts(names);
  say(inventory);
  say(issue);
  for (const auto& name : names) {
    coordinator_.Give(engine::EnrolRequested{0, name, crypto::Sha256(name), "", "10.0.0.1"});
  }
  say(statements);
  plan::v1::BlobInfo plugin;
  plugin.set_kind("plugin");
  plugin.set_name("mock");
  plugin.set_sha256(crypto::Sha256("the plugin's bytes"));
  plugin.mutable_signature()->set_minisig("a signature that the simulated cache believes");
  say(plugin);
  for (int64_t i = 0, plans = clockwork_.Between(1, 3); i < plans; ++i) MakePlan(static_cast<int>(i));
  Until(clockwork_.now() + 1000, [] { return false; });
  for (auto& agent : agents_) agent->Start();
}

// Runs until the end, the first complaint, or `over`.
bool Simulation::Until(UnixMs end, const std::function<bool()>& over) {
  while (witness_.complaint().empty()) {
    coordinator_up_ = coordinator_.up();
    if (over()) return true;
    if (!clockwork_.Step(end)) return false;
  }
  return false;
}

// What sort of world it is to be.
void Simulation::Begin() {
  faults_ = Faults::Many();
  if (clockwork_.Chance(0.2)) faults_.plugin = 0.4;
  if (clockwork_.Chance(0.3)) faults_.lost = faults_.duplicated = faults_.overtaken = 0.02;
  if (clockwork_.Chance(0.3)) faults_.thief = 0.3;
  if (clockwork_.Chance(0.1)) faults_.coordinator_crash = faults_.spool_crash = 0.03;
  Watch();
}

void Simulation::StepSomeClock() {
  const int64_t by = clockwork_.Between(0, 1) == 0 ? -clockwork_.Between(1, 1'200'000) : clockwork_.Between(1, 600'000);
  if (clockwork_.Chance(0.7)) {
    clockwork_.Count(by < 0 ? "agent's clock set back" : "agent's clock set forward");
    return SomeAgent().StepClock(by);
  }
  clockwork_.Count(by < 0 ? "coordinator's clock set back" : "coordinator's clock set forward");
  coordinator_.StepClock(by);
}

void Simulation::Watch() {
  if (faults_.cut == 0) return;
  people_at_work_.DoSomething();
  if (clockwork_.Chance(0.02)) coordinator_.Crash("by a power cut");
  if (clockwork_.Chance(0.02)) SomeAgent().Crash("by a power cut");
  if (clockwork_.Strikes("partition", 0.03)) {
    for (int64_t hosts = clockwork_.Between(1, static_cast<int64_t>(agents_.size())); hosts > 0; --hosts) {
      network_.Part(SomeHost());
    }
    clockwork_.After(clockwork_.Between(1000, 150'000), [this] { network_.Heal(); });
  }
  if (clockwork_.Chance(faults_.clock_step)) StepSomeClock();
  if (clockwork_.Chance(faults_.thief)) thief_.SaySomething(SomeHost());
  clockwork_.After(clockwork_.Between(100, 8000), [this] { Watch(); });
}

Outcome Simulation::Run() {
  SetUp();
  Begin();
  Until(clockwork_.now() + kFaultyMs, [] { return false; });

  // Connections that lost single messages are given up, as a stream would have been.
  const bool unsound = faults_.lost > 0 || faults_.thief > 0;
  faults_ = {};
  network_.Heal();
  if (unsound) network_.CutAll();
  clockwork_.Trace("the faults are over");
  const UnixMs quiet_since = clockwork_.now();
  UnixMs help_at = 0;
  const bool over = Until(clockwork_.now() + kQuietMs, [&] {
    if (clockwork_.now() >= help_at) {
      people_at_work_.Help(clockwork_.now() > quiet_since + kHour);
      help_at = clockwork_.now() + 10'000;
    }
    return people_at_work_.IsOver() &&
           std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->IsQuiet(); });
  });
  const UnixMs settled = clockwork_.now();
  Until(clockwork_.now() + 10'000, [] { return false; });
  if (!over) witness_.Complain("the faults are over, and the work does not come to its end");
  if (witness_.complaint().empty()) {
    coordinator_.CheckReplay();
    for (auto& agent : agents_) agent->CheckRestore();
    witness_.TheEnd();
  }
  Outcome outcome;
  outcome.complaint = witness_.complaint();
  outcome.trace_hash = ToHex(clockwork_.TraceHash());
  outcome.steps = clockwork_.steps();
  outcome.events = coordinator_.events();
  outcome.outcomes = witness_.outcomes();
  outcome.effects = witness_.effects();
  outcome.simulated_ms = clockwork_.now() - clockwork_.start();
  outcome.settled_ms = settled - quiet_since;
  outcome.faults = clockwork_.struck();
  for (const std::string& state : people_at_work_.RunStates()) outcome.runs[state] += 1;
  outcome.journal = coordinator_.Journal();
  return outcome;
}

}  // namespace

Outcome Simulate(uint64_t seed, const Bugs& bugs, bool verbose) {
  ForgetVerified();
  return Simulation(seed, bugs, verbose).Run();
}

}  // namespace reprise::sim
