#include "tests/sim/people_at_work.h"

#include <algorithm>

#include "core/model/names.h"

namespace reprise::sim {

using engine::testing::PlanDraft;

void PeopleAtWork::Launch(PlanDraft& draft) {
  const std::string& id = draft.header.plan_id();
  if (coordinator_.engine().FindPlan(id) == nullptr) {
    operators::v1::SubmitPlanRequest request;
    *request.mutable_bundle() = draft.Bundle();
    Say("bob", request);
  } else if (const auto& plans = coordinator_.engine().state().plans();
             std::any_of(plans.begin(), plans.end(), [&](const auto& plan) {
               return plan.plan_id() == id && plan.signatures().empty() && draft.effect != model::v1::EFFECT_READ;
             })) {
    witness_.PlanIsSigned(id);
    Say("alice", engine::Command::SignPlan{id, draft.Sign("alice")});
  } else {
    Say("bob", engine::Command::StartRun{id});
  }
}

void PeopleAtWork::Decide(uint64_t run, const std::string& gate, const std::string& person, bool waive, int64_t lasts) {
  const auto* record = coordinator_.engine().FindRun(run);
  const auto draft = std::find_if(drafts_.begin(), drafts_.end(),
                                  [&](const auto& d) { return d.header.plan_id() == record->plan_id(); });
  RealDecision decision;
  decision.signer = person;
  decision.run = run;
  decision.gate = gate;
  decision.waive = waive;
  decision.expires = waive ? (coordinator_.Clock() + lasts) / 1000 * 1000 : 0;
  decision.may_approve = person != "dave";
  decision.may_waive = person == "alice";
  witness_.Decided(decision);
  operators::v1::SignGateRequest request;
  *request.mutable_statement() = draft->Decision(gate, person, run, waive, decision.expires);
  Say(person, request);
}

void PeopleAtWork::DecideSomeGate() {
  std::vector<std::pair<uint64_t, std::string>> gates;
  for (const auto& run : coordinator_.engine().state().runs()) {
    for (const auto& gate : run.gates()) gates.emplace_back(run.id(), gate.name());
  }
  if (gates.empty()) return;
  const auto& [run, gate] = gates[static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(gates.size()) - 1))];
  const char* const kWho[] = {"alice", "bob", "carol"};
  Decide(run, gate, kWho[clockwork_.Between(0, 2)], clockwork_.Chance(0.2), clockwork_.Between(5, 300) * 1000);
}

plan::v1::SignedStatement PeopleAtWork::Admit(const std::string& host, uint64_t serial, const std::string& hold,
                                              model::v1::Zone zone) {
  auto made = agents::testing::Admission(people_, host, [&](model::HostStatement& statement) {
    statement.serial = serial;
    statement.hold = hold;
    statement.zone = zone;
  });
  witness_.HostIsStated(host, made.statement(), serial, !hold.empty() || zone == model::v1::ZONE_QUARANTINE);
  return made;
}

void PeopleAtWork::State(const std::string& host, const std::string& hold, model::v1::Zone zone) {
  const auto* record = coordinator_.engine().FindHost(host);
  operators::v1::HostStatementsRequest request;
  *request.add_statements() = Admit(host, record->statement_serial() + 1, hold, zone);
  Say("alice", request);
}

void PeopleAtWork::DoSomething() {
  if (!coordinator_.up()) return;
  const auto runs = static_cast<int64_t>(coordinator_.engine().state().runs_size());
  const auto some_run = [&] { return static_cast<uint64_t>(clockwork_.Between(1, std::max<int64_t>(runs, 1))); };
  const auto some_host = [&] {
    return hosts_[static_cast<size_t>(clockwork_.Between(0, static_cast<int64_t>(hosts_.size()) - 1))];
  };
  const int64_t what = clockwork_.Between(0, 99);
  if (what < 25) {
    for (auto& draft : drafts_) Launch(draft);
  } else if (what < 50) {
    DecideSomeGate();
  } else if (what < 60) {
    Say("bob", engine::Command::Pause{some_run(), "wait"});
  } else if (what < 78) {
    Say("bob", engine::Command::Resume{some_run()});
  } else if (what < 84) {
    Say("bob", engine::Command::Retry{some_run()});
  } else if (what < 85 && clockwork_.Chance(0.2)) {
    Say("bob", engine::Command::Abort{some_run(), "enough"});
  } else if (what < 88) {
    Say("bob", engine::Command::RaiseStop{"smoke"});
  } else if (what < 94) {
    Say("bob", engine::Command::LiftStop{"clear"});
  } else if (what < 95) {
    State(some_host(), "police copy");
  } else if (what < 96) {
    State(some_host(), "", model::v1::ZONE_QUARANTINE);
  } else if (what < 99) {
    State(some_host(), "");
  } else if (!revoked_ && clockwork_.Chance(0.3)) {
    // Carol leaves. Her approvals count no more from then on.
    revoked_ = true;
    operators::v1::ExtendKeyringRequest request;
    *request.mutable_statement() = people_.Revoke("carol");
    Say("alice", request);
  }
}

void PeopleAtWork::Help(bool late) {
  if (!coordinator_.up()) return;
  if (revoked_ && coordinator_.engine().keyring()->version() == 1) {
    operators::v1::ExtendKeyringRequest request;
    *request.mutable_statement() = people_.chain().back();
    Say("alice", request);
  }
  const auto& state = coordinator_.engine().state();
  if (state.stop().active() || state.stop().seen_serial() > state.stop().serial()) {
    Say("bob", engine::Command::LiftStop{"clear"});
  }
  for (const std::string& host : hosts_) {
    const auto& record = *coordinator_.engine().FindHost(host);
    if (!record.hold().empty() || record.zone() == model::v1::ZONE_QUARANTINE) State(host, "");
  }
  for (auto& draft : drafts_) {
    const auto& runs = state.runs();
    const bool started =
        std::any_of(runs.begin(), runs.end(), [&](const auto& run) { return run.plan_id() == draft.header.plan_id(); });
    if (!started) Launch(draft);
  }
  std::vector<std::pair<uint64_t, std::string>> ready;
  std::vector<uint64_t> paused;
  for (const auto& run : state.runs()) {
    if (run.state() == model::v1::RUN_STATE_PAUSED) paused.push_back(run.id());
    if (run.ended_ms() != 0) continue;
    if (late && WaitsForProof(run.plan_id()) && run.state() != model::v1::RUN_STATE_ABORTING) {
      Say("bob", engine::Command::Abort{run.id(), "the proof does not come"});
    }
    for (const auto& gate : run.gates()) {
      if (gate.state() == model::v1::GATE_STATE_READY) ready.emplace_back(run.id(), gate.name());
    }
  }
  for (const uint64_t run : paused) Say("bob", engine::Command::Resume{run});
  for (const auto& [run, gate] : ready) {
    // Where carol has left, a quorum of two cannot be had: alice, an admin, waives.
    // For long enough by any clock of the hospital.
    Decide(run, gate, "alice", revoked_, 6 * 3'600'000);
    if (!revoked_) Decide(run, gate, "carol", false, 0);
  }
}

bool PeopleAtWork::WaitsForProof(const std::string& plan_id) const {
  const auto draft =
      std::find_if(drafts_.begin(), drafts_.end(), [&](const auto& d) { return d.header.plan_id() == plan_id; });
  const auto& stages = draft->header.stages();
  return std::any_of(stages.begin(), stages.end(), [](const auto& stage) {
    const auto& steps = stage.steps();
    return !stage.requirements().empty() ||
           std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step.has_recovery_point(); });
  });
}

bool PeopleAtWork::IsOver() const {
  if (!coordinator_.up()) return false;
  const auto& runs = coordinator_.engine().state().runs();
  return std::all_of(drafts_.begin(), drafts_.end(), [&](const PlanDraft& draft) {
    const auto run =
        std::find_if(runs.begin(), runs.end(), [&](const auto& r) { return r.plan_id() == draft.header.plan_id(); });
    // One that expired before anybody started it has no run any more.
    return run == runs.end() ? draft.header.expires_ms() <= coordinator_.Clock() : run->ended_ms() != 0;
  });
}

std::vector<std::string> PeopleAtWork::RunStates() const {
  std::vector<std::string> states;
  if (!coordinator_.up()) return states;
  for (const auto& run : coordinator_.engine().state().runs()) states.push_back(model::NameOf(run.state()));
  return states;
}

}  // namespace reprise::sim
