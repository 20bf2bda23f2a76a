// What the witness knows of hosts: what their agents made durable, what they say, what plugins do there.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/witness.h"

namespace reprise::sim {

// What changes a host was signed, has not expired by the host's own clock, and nothing that the host knows forbids it.
void Witness::CheckPermission(const std::string& name, const agent::v1::TaskKey& key, UnixMs at,
                              const std::string& moment) {
  const Host& host = hosts_[name];
  const std::string what = absl::StrCat(" ", moment, " on ", name, ": ", key.ShortDebugString());
  const auto plan = plans_.find(key.plan_id());
  if (plan == plans_.end()) return Complain("a plan that nobody made" + what);
  const plan::v1::PlanHeader& header = plan->second.header;
  if (host.stopped) Complain("a stopped host" + what);
  if (header.expires_ms() <= at) Complain("an expired plan" + what);
  if (header.effect() == model::v1::EFFECT_READ) return;
  if (!signed_.contains(key.plan_id())) Complain("an unsigned plan" + what);
  if (host.forbidden) Complain("an evidence hold or a quarantine passed over" + what);
  if (!key.rollback()) {
    CheckCopyOnHost(header.stages(static_cast<int>(key.stage())).steps(static_cast<int>(key.step())), at, what);
  }
}

void Witness::RecordIsDurable(const std::string& name, const agent::v1::SpoolRecord& record, UnixMs at) {
  Host& host = hosts_[name];
  if (record.has_stop_kept()) host.stopped = record.stop_kept().active();
  if (record.has_host_statement()) {
    const auto made = statements_.find(record.host_statement().statement());
    if (made == statements_.end()) return Complain(name + " believes a statement that nobody made");
    if (made->second.serial <= host.serial) Complain(name + " went back to an older statement about itself");
    host.serial = made->second.serial;
    host.forbidden = made->second.forbids;
  }
  if (record.has_attempt_accepted()) {
    const auto& key = record.attempt_accepted().key();
    CheckPermission(name, key, at, "accepted");
    if (!complaint_.empty()) return;
    if (!dispatched_.contains(KeyOf(name, key))) {
      return Complain(absl::StrCat(name, " accepted what was never sent: ", key.ShortDebugString()));
    }
    if (!host.accepted.insert(KeyOf(name, key)).second) {
      Complain(absl::StrCat(name, " accepted one attempt twice: ", key.ShortDebugString()));
    }
    if (key.rollback()) return;
    const plan::v1::Stage& stage = plans_.at(key.plan_id()).header.stages(static_cast<int>(key.stage()));
    const auto pass = [&](const plan::v1::Gate& gate) {
      if (!host.open_gates.insert(key.plan_id() + "/" + gate.name()).second) return;  // Once open, it stays open here.
      if (!IsOpen(key.run(), gate, at, /*by_now=*/false)) {
        Complain(
            absl::StrCat(name, " went through a gate without its quorum: run ", key.run(), ", gate ", gate.name()));
      }
    };
    if (stage.has_gate()) pass(stage.gate());
    const uint32_t wave = targets_.at({key.run(), key.stage(), LeafOf(key.run(), name)}).wave;
    for (int w = 0; w <= static_cast<int>(wave); ++w) {
      if (stage.waves(w).has_gate()) pass(stage.waves(w).gate());
    }
  }
  if (record.has_attempt_intended()) {
    const auto& key = record.attempt_intended().key();
    CheckPermission(name, key, at, "an effect intended");
    const std::string action = ActionOf(key.plan_id(), key.stage(), key.step());
    host.intent_of[action] = absl::StrCat(key.attempt(), key.rollback() ? "-" : "+");
  }
  if (record.has_attempt_finished()) {
    const auto& finished = record.attempt_finished().finished();
    host.ended[KeyOf(name, finished.key())] = finished.outcome();
  }
  if (record.has_attempt_acknowledged()) host.acknowledged.insert(KeyOf(name, record.attempt_acknowledged()));
}

void Witness::AgentRemembers(const std::string& name, const std::vector<agent::v1::TaskKey>& in_flight,
                             const std::vector<agent::v1::Finished>& unacknowledged) {
  std::set<AttemptKey> known;
  for (const auto& key : in_flight) known.insert(KeyOf(name, key));
  for (const auto& finished : unacknowledged) known.insert(KeyOf(name, finished.key()));
  const Host& host = hosts_[name];
  for (const AttemptKey& key : host.accepted) {
    if (host.acknowledged.contains(key) || known.contains(key)) continue;
    Complain(absl::StrCat(name, " forgot an attempt that it accepted: ", Describe(key)));
  }
}

void Witness::AgentSays(const std::string& name, const agent::v1::AgentMessage& message, size_t running) {
  const Host& host = hosts_[name];
  if (message.has_accepted() && !host.accepted.contains(KeyOf(name, message.accepted().key()))) {
    Complain(absl::StrCat(name, " says that it accepted what is not durable: ", message.ShortDebugString()));
  }
  if (message.has_finished()) {
    const AttemptKey key = KeyOf(name, message.finished().key());
    const auto ended = host.ended.find(key);
    // One that ended long ago may be refused when it is delivered again.
    const bool refused = message.finished().outcome() == model::v1::OUTCOME_REFUSED &&
                         (!host.accepted.contains(key) || host.acknowledged.contains(key));
    if (!refused && (ended == host.ended.end() || ended->second != message.finished().outcome())) {
      Complain(absl::StrCat(name, " says an outcome that is not durable: ", message.ShortDebugString()));
    }
  }
  if (message.has_stop_confirmed() && running > 0) {
    Complain(absl::StrCat(name, " confirmed a stop while ", running, " action(s) ran"));
  }
}

void Witness::VerbStarts(const std::string& name, const agents::VerbRequest& request) {
  Host& host = hosts_[name];
  const std::string what = absl::StrCat(" on ", name, ": ", request.action, ", attempt ", request.attempt);
  if (!plans_.contains(request.action.substr(0, request.action.find('.'))))
    Complain("a plan that nobody made runs" + what);
  if (host.stopped) Complain("a verb began on a stopped host" + what);
  if (request.verb == model::v1::VERB_PROBE) host.probed[request.action] = true;
  const bool undo = request.verb == model::v1::VERB_ROLLBACK;
  if (request.verb != model::v1::VERB_APPLY && !undo) return;
  if (!host.probed[request.action]) Complain("an effect began without a probe since the last one" + what);
  if (host.intent_of[request.action] != absl::StrCat(request.attempt, undo ? "-" : "+")) {
    Complain("an effect began before its intent was durable" + what);
  }
  host.probed[request.action] = false;
}

void Witness::HostChanges(const std::string& host, const std::string& action, bool done) {
  hosts_[host].done[action] = done;
  effects_ += 1;
}

void Witness::TheEnd() {
  for (const auto& [name, host] : hosts_) {
    for (const AttemptKey& key : host.accepted) {
      if (!finished_.contains(key)) {
        Complain(absl::StrCat("lost: ", name, " accepted it, and its outcome is not in the journal: ", Describe(key)));
      }
      if (!host.acknowledged.contains(key)) {
        Complain(absl::StrCat("never acknowledged to ", name, ": ", Describe(key)));
      }
    }
  }
}

}  // namespace reprise::sim
