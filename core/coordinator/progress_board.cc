#include "core/coordinator/progress_board.h"

#include <utility>

#include "core/base/text.h"

namespace reprise::coordinator {
namespace {

constexpr size_t kTextMax = 500;

}  // namespace

void ProgressBoard::Heard(const std::string& host, agent::v1::Progress progress) {
  if (progress.text().size() > kTextMax) progress.set_text(BoundedText(progress.text(), kTextMax));
  std::lock_guard lock(mutex_);
  latest_[host] = std::move(progress);
  ++heard_;
}

void ProgressBoard::ShowIn(operators::v1::RunView& run) const {
  std::lock_guard lock(mutex_);
  if (latest_.empty()) return;
  for (auto& target : *run.mutable_targets()) {
    if (target.state() != model::v1::TARGET_STATE_ACTIVE && target.state() != model::v1::TARGET_STATE_ROLLING_BACK) {
      continue;
    }
    const auto found = latest_.find(target.host());
    if (found == latest_.end()) continue;
    const agent::v1::TaskKey& key = found->second.key();
    if (key.run() != run.id() || key.attempt() != target.attempt()) continue;
    if (key.stage() >= static_cast<uint32_t>(run.stages_size()) ||
        run.stages(static_cast<int>(key.stage())).name() != target.stage()) {
      continue;
    }
    *target.mutable_progress() = found->second;
  }
}

void ProgressBoard::OnEvents(const engine::Engine&, const std::vector<journal::v1::Event>& events) {
  std::lock_guard lock(mutex_);
  if (latest_.empty()) return;
  for (const journal::v1::Event& event : events) {
    if (event.has_session_closed()) latest_.erase(event.session_closed().host());
    // The outcome's actor is its host.
    if (event.has_task_finished() && event.actor().starts_with("host:")) latest_.erase(event.actor().substr(5));
  }
}

}  // namespace reprise::coordinator
