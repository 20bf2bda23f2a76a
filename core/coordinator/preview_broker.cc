#include "core/coordinator/preview_broker.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/engine/plan_index.h"
#include "core/engine/plan_limits.h"

namespace reprise::coordinator {
namespace {

using operators::v1::HostPreview;

constexpr size_t kRoundsMax = 8;
constexpr int64_t kTimeoutDefault = 60'000;
constexpr int64_t kTimeoutMax = 10 * 60'000;

const plan::v1::BlobInfo* FindPlugin(const engine::Engine& engine, const std::string& sha256) {
  for (const auto& blob : engine.state().blobs()) {
    if (blob.kind() == "plugin" && blob.sha256() == sha256) return &blob;
  }
  return nullptr;
}

agent::v1::PreviewStep StepFor(const engine::Engine& engine, const plan::v1::PlanHeader& header,
                               const plan::v1::Step& step, const std::string& params) {
  agent::v1::PreviewStep asked;
  const plan::v1::PluginRef& plugin = header.plugins(static_cast<int>(step.plugin()));
  if (const plan::v1::BlobInfo* blob = FindPlugin(engine, plugin.sha256())) {
    *asked.mutable_plugin() = *blob;
    asked.mutable_plugin()->clear_descriptor_json();  // The agent has its own way to know.
  } else {
    asked.mutable_plugin()->set_name(plugin.name());
    asked.mutable_plugin()->set_sha256(plugin.sha256());
  }
  asked.set_action(step.action());
  asked.set_params_json(params);
  for (const uint32_t artifact : step.artifacts()) *asked.add_artifacts() = header.artifacts(static_cast<int>(artifact));
  return asked;
}

}  // namespace

struct PreviewBroker::Round {
  explicit Round(engine::PlanIndex read) : plan(std::move(read)) {}

  struct Place {
    uint32_t stage = 0;
    uint32_t step = 0;
    bool answered = false;
  };
  const engine::PlanIndex plan;
  uint64_t number = 0;
  int64_t timeout_ms = 0;
  std::shared_ptr<HostFeed> feed;
  std::map<std::string, std::vector<Place>> asked;  // By host, in the order of the request's steps.
  size_t open = 0;
};

void PreviewBroker::Start(const operators::v1::PreviewPlanRequest& request, std::shared_ptr<HostFeed> feed) {
  auto plan = engine::PlanIndex::Read(request.bundle());
  if (!plan.ok()) return feed->End(plan.status());
  if (absl::Status status = engine::CheckPlanLimits(*plan); !status.ok()) return feed->End(status);
  auto round = std::make_shared<Round>(*std::move(plan));
  round->feed = std::move(feed);
  round->timeout_ms = std::clamp<int64_t>(request.timeout_ms() == 0 ? kTimeoutDefault : request.timeout_ms(), 1, kTimeoutMax);
  {
    std::lock_guard lock(mutex_);
    std::erase_if(rounds_, [](const auto& entry) { return entry.second->feed->Over(); });
    if (rounds_.size() >= kRoundsMax) {
      return round->feed->End(absl::ResourceExhaustedError(
          absl::StrCat(kRoundsMax, " dry runs are under way; try again when one has ended")));
    }
    round->number = next_++;
    rounds_.emplace(round->number, round);
  }
  loop_.Query([this, round](const engine::Engine& engine) { Ask(round, engine); });
}

void PreviewBroker::Ask(std::shared_ptr<Round> round, const engine::Engine& engine) {
  const plan::v1::PlanHeader& header = round->plan.header;
  std::vector<std::pair<std::string, agent::v1::CoordinatorMessage>> messages;
  std::unique_lock filling(mutex_);
  for (const plan::v1::HostLeaf& leaf : round->plan.leaves) {
    agent::v1::CoordinatorMessage message;
    agent::v1::PreviewRequest& request = *message.mutable_preview();
    request.set_request(round->number);
    std::vector<Round::Place>& places = round->asked[leaf.host()];
    for (const plan::v1::Placement& placement : leaf.placements()) {
      const plan::v1::Stage& stage = header.stages(static_cast<int>(placement.stage()));
      for (int s = 0; s < stage.steps_size(); ++s) {
        const std::string* params = &stage.steps(s).params_json();
        for (const auto& override_ : placement.overrides()) {
          if (override_.step() == static_cast<uint32_t>(s)) params = &override_.params_json();
        }
        *request.add_steps() = StepFor(engine, header, stage.steps(s), *params);
        places.push_back({placement.stage(), static_cast<uint32_t>(s)});
      }
    }
    round->open += places.size();
    messages.emplace_back(leaf.host(), std::move(message));
  }
  // Everything is counted before anybody can answer.
  filling.unlock();
  for (auto& [host, message] : messages) {
    if (sessions_.SendBeside(host, std::move(message))) continue;
    std::lock_guard lock(mutex_);
    for (Round::Place& place : round->asked[host]) {
      if (std::exchange(place.answered, true)) continue;
      round->open -= 1;
      HostPreview preview;
      preview.set_host(host);
      preview.set_stage(place.stage);
      preview.set_step(place.step);
      preview.set_error("not connected");
      round->feed->Offer(std::move(preview));
    }
  }
  std::lock_guard lock(mutex_);
  if (round->open == 0) return EndLocked(*round);
  workers_.RunAfter(std::chrono::milliseconds(round->timeout_ms),
                    [this, number = round->number] { GiveUp(number); });
}

void PreviewBroker::Answered(const std::string& host, agent::v1::Preview preview) {
  std::lock_guard lock(mutex_);
  const auto found = rounds_.find(preview.request());
  if (found == rounds_.end()) return;
  Round& round = *found->second;
  const auto asked = round.asked.find(host);
  if (asked == round.asked.end() || preview.step() >= asked->second.size()) return;
  Round::Place& place = asked->second[preview.step()];
  if (std::exchange(place.answered, true)) return;
  HostPreview answer;
  answer.set_host(host);
  answer.set_stage(place.stage);
  answer.set_step(place.step);
  answer.set_ok(preview.ok());
  answer.set_result_json(std::move(*preview.mutable_result_json()));
  if (!preview.ok()) answer.set_error(answer.result_json());
  round.feed->Offer(std::move(answer));
  round.open -= 1;
  if (round.open == 0) EndLocked(round);
}

void PreviewBroker::GiveUp(uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto found = rounds_.find(number);
  if (found == rounds_.end()) return;
  Round& round = *found->second;
  for (auto& [host, places] : round.asked) {
    for (const Round::Place& place : places) {
      if (place.answered) continue;
      HostPreview preview;
      preview.set_host(host);
      preview.set_stage(place.stage);
      preview.set_step(place.step);
      preview.set_error(absl::StrCat("no answer within ", FormatDurationMs(round.timeout_ms)));
      round.feed->Offer(std::move(preview));
    }
  }
  EndLocked(round);
}

void PreviewBroker::EndLocked(Round& round) {
  round.feed->End(absl::OkStatus());
  const uint64_t number = round.number;
  rounds_.erase(number);
}

}  // namespace reprise::coordinator
