#include "tests/bench/simulated_agent.h"

#include <algorithm>

namespace reprise::bench {
namespace {

using agent::v1::CoordinatorMessage;
using Clock = std::chrono::steady_clock;

int64_t Ticks(SteadyTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

void SimulatedAgent::Start() {
  {
    std::lock_guard lock(counters_.mutex);
    counters_.streams += 1;
  }
  stub_->async()->Connect(&context_, this);
  auto& hello = *writing_.add_messages()->mutable_hello();
  hello.set_agent_version("bench");
  hello.set_keyring_version(1);
  hello.set_host_statement_serial(1);
  busy_ = true;
  StartWrite(&writing_);
  StartRead(&reading_);
  StartCall();
}

void SimulatedAgent::Beat() {
  std::lock_guard lock(mutex_);
  if (!welcomed_ || over_) return;
  waiting_.add_messages()->mutable_heartbeat();
  FlushLocked();
}

void SimulatedAgent::OnReadDone(bool ok) {
  if (!ok) return;
  counters_.messages_in += 1;
  {
    std::lock_guard lock(mutex_);
    for (const auto& message : reading_.messages()) TakeLocked(message);
    FlushLocked();
  }
  StartRead(&reading_);
}

void SimulatedAgent::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  busy_ = false;
  if (ok) FlushLocked();
}

void SimulatedAgent::OnDone(const grpc::Status& status) {
  bool welcomed = false;
  {
    std::lock_guard lock(mutex_);
    over_ = true;
    welcomed = welcomed_;
  }
  (welcomed ? counters_.lost : counters_.refused) += 1;
  std::lock_guard lock(counters_.mutex);
  counters_.streams -= 1;
  if (counters_.first_fault.empty()) counters_.first_fault = status.error_message();
  counters_.done.notify_all();
}

void SimulatedAgent::TakeLocked(const CoordinatorMessage& message) {
  switch (message.kind_case()) {
    case CoordinatorMessage::kWelcome:
      welcomed_ = true;
      counters_.last_welcome = Ticks(Clock::now());
      counters_.welcomed += 1;
      break;
    case CoordinatorMessage::kTask:
      CarryLocked(message.task());
      break;
    case CoordinatorMessage::kAcknowledged:
      AcknowledgedLocked(message.acknowledged().key());
      break;
    case CoordinatorMessage::kStop:
      if (message.stop().active()) {
        waiting_.add_messages()->mutable_stop_confirmed()->set_serial(message.stop().serial());
      }
      break;
    case CoordinatorMessage::kReadFacts:
      waiting_.add_messages()->mutable_facts()->set_facts_json(counters_.facts_json);
      break;
    default:
      break;
  }
}

void SimulatedAgent::CarryLocked(const agent::v1::Task& task) {
  const SteadyTime now = Clock::now();
  int64_t none = 0;
  counters_.first_task.compare_exchange_strong(none, Ticks(now));
  (task.has_authority() ? counters_.first_task_bytes : counters_.task_bytes) = task.ByteSizeLong();
  open_.push_back({task.key().stage(), task.key().step(), now});
  *waiting_.add_messages()->mutable_accepted()->mutable_key() = task.key();
  auto& finished = *waiting_.add_messages()->mutable_finished();
  *finished.mutable_key() = task.key();
  finished.set_outcome(model::v1::OUTCOME_CHANGED);
  finished.set_evidence_json(R"({"holds":true,"summary":"measured"})");
  finished.set_duration_ms(1);
}

void SimulatedAgent::AcknowledgedLocked(const agent::v1::TaskKey& key) {
  const SteadyTime now = Clock::now();
  const auto open = std::find_if(open_.begin(), open_.end(), [&](const Open& other) {
    return other.stage == key.stage() && other.step == key.step();
  });
  if (open == open_.end()) return;
  counters_.latencies.Add(std::chrono::duration<double, std::micro>(now - open->since).count());
  open_.erase(open);
  counters_.last_acknowledged = Ticks(now);
  counters_.acknowledged += 1;
}

void SimulatedAgent::FlushLocked() {
  if (busy_ || waiting_.messages().empty()) return;
  writing_.Clear();
  writing_.Swap(&waiting_);
  busy_ = true;
  StartWrite(&writing_);
}

}  // namespace reprise::bench
