#include "core/engine/engine.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/engine/desk.h"
#include "core/engine/dispatcher.h"
#include "core/engine/outcomes.h"
#include "core/engine/progress.h"
#include "core/engine/registry.h"
#include "core/engine/run_commands.h"
#include "core/engine/sessions.h"

namespace reprise::engine {

struct Engine::Impl {
  void On(const Started& started) { sessions.On(started); }
  void On(const SessionOpened& opened) { sessions.On(opened); }
  void On(const SessionClosed& closed) { sessions.On(closed); }
  void On(const AgentSaid& said) { sessions.On(said); }
  void On(const EnrolRequested& request) { Say(request.ticket, registry.Enrol(request)); }
  void On(const Command& command);
  void On(const Tick&) {}

  void Say(uint64_t ticket, Answer answer) {
    desk.Do(Reply{ticket, std::move(answer.status), std::move(answer.subject)});
  }
  Answer Do(const std::string& person, const auto& request) {
    if constexpr (requires { registry.Do(person, request); }) {
      return registry.Do(person, request);
    } else {
      return commands.Do(person, request);
    }
  }
  void TakeDue();
  void Follow();
  void Touch(RunBook& run);

  Desk desk;
  Dispatcher dispatcher{desk};
  Outcomes outcomes{desk};
  Progress progress{desk};
  Sessions sessions{desk, dispatcher, outcomes};
  Registry registry{desk};
  RunCommands commands{desk, dispatcher, progress};
};

void Engine::Impl::On(const Command& command) {
  desk.SetActor(absl::StrCat("operator:", command.operator_name));
  Answer answer = std::visit([&](const auto& request) { return Do(command.operator_name, request); }, command.request);
  Say(command.ticket, std::move(answer));
}

void Engine::Impl::TakeDue() {
  for (TargetId due; desk.schedule().TakeDue(desk.now(), &due);) {
    RunBook& run = *desk.book().FindRun(due.run);
    if (due.stage != Schedule::kWholeRun) {
      dispatcher.Reconsider(due);
      Touch(run);
      continue;
    }
    for (uint32_t s = 0; s < run.stages.size(); ++s) {
      for (uint32_t t = 0; t < run.stages[s].hosts.size(); ++t) dispatcher.Reconsider({run.id, s, t});
    }
    Touch(run);
  }
}

// What was touched is looked at until nothing is touched any more: targets first, then runs, then what may be sent.
void Engine::Impl::Follow() {
  Touched& touched = desk.touched();
  if (touched.everything) {
    touched.everything = false;
    for (const auto& host : desk.book().hosts()) {
      if (!std::exchange(host->touched, true)) touched.hosts.push_back(host.get());
    }
    for (const auto& run : desk.book().runs()) {
      if (!std::exchange(run->touched, true)) touched.runs.push_back(run.get());
    }
  }
  const auto look_at = [this](const std::vector<TargetId>& targets) {
    for (const TargetId& id : targets) {
      dispatcher.Reconsider(id);
      Touch(*desk.book().FindRun(id.run));
    }
  };
  while (touched.any_targets() || !touched.runs.empty()) {
    while (touched.any_targets()) {
      for (HostBook* host : std::exchange(touched.hosts, {})) {
        host->touched = host->crowded = false;
        const std::vector<TargetId> targets = host->targets;
        look_at(targets);
      }
      look_at(std::exchange(touched.targets, {}));
    }
    std::vector<RunBook*> runs = std::exchange(touched.runs, {});
    std::sort(runs.begin(), runs.end(), [](const RunBook* a, const RunBook* b) { return a->id < b->id; });
    for (RunBook* run : runs) run->touched = false;
    for (RunBook* run : runs) progress.Advance(*run);
    // What started or ended just now comes first: its targets are not in the schedule yet.
    if (touched.any_targets() || !touched.runs.empty()) {
      for (RunBook* run : runs) Touch(*run);
      continue;
    }
    for (RunBook* run : runs) dispatcher.Dispatch(*run);
  }
}

void Engine::Impl::Touch(RunBook& run) {
  if (std::exchange(run.touched, true)) return;
  desk.touched().runs.push_back(&run);
}

Engine::Engine() : impl_(std::make_unique<Impl>()) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

absl::StatusOr<Engine> Engine::Restore(journal::v1::State snapshot) {
  Engine engine;
  if (absl::Status status = engine.impl_->desk.book().Restore(std::move(snapshot)); !status.ok()) {
    return absl::DataLossError(absl::StrCat("the snapshot does not make sense: ", std::string(status.message())));
  }
  return engine;
}

absl::Status Engine::Apply(const journal::v1::Event& event) {
  // What to do next is decided afresh from the whole at the next input.
  impl_->desk.book().NoteIn(nullptr);
  absl::Status status = impl_->desk.book().Apply(event);
  impl_->desk.book().NoteIn(&impl_->desk.touched());
  impl_->desk.touched().everything = true;
  return status;
}

Decision Engine::Decide(const Input& input, UnixMs now) {
  impl_->desk.Begin(now);
  std::visit([this](const auto& known) { impl_->On(known); }, input);
  impl_->desk.SetActor("coordinator");
  impl_->TakeDue();
  impl_->Follow();
  return impl_->desk.Finish();
}

UnixMs Engine::NextWake() const {
  return impl_->desk.touched().everything ? 0 : impl_->desk.schedule().NextWake();
}

const journal::v1::State& Engine::state() const {
  return impl_->desk.book().state();
}
const model::Keyring* Engine::keyring() const {
  return impl_->desk.keyring();
}
const PlanIndex* Engine::FindPlan(const std::string& plan_id) const {
  return impl_->desk.book().FindPlan(plan_id);
}
const journal::v1::HostRecord* Engine::FindHost(const std::string& host) const {
  const HostBook* found = impl_->desk.book().FindHost(host);
  return found == nullptr ? nullptr : found->record;
}
const journal::v1::RunRecord* Engine::FindRun(uint64_t run) const {
  const RunBook* found = impl_->desk.book().FindRun(run);
  return found == nullptr ? nullptr : found->record;
}

std::string Engine::Snapshot() const {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    impl_->desk.book().state().SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace reprise::engine
