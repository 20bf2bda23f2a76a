#include "core/coordinator/run_watch.h"

#include <utility>

#include "core/coordinator/event_run.h"
#include "core/coordinator/progress_board.h"

namespace reprise::coordinator {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);

}  // namespace

struct RunWatch::Watcher {
  Watcher(RunWatch& owner, const operators::v1::GetRunRequest& asked,
          std::shared_ptr<Feed<operators::v1::RunView>> out)
      : watch(owner), request(asked), feed(std::move(out)) {
    ++watch.watchers_;
  }
  ~Watcher() { --watch.watchers_; }

  RunWatch& watch;
  const operators::v1::GetRunRequest request;
  const std::shared_ptr<Feed<operators::v1::RunView>> feed;
  bool shown = false;
  uint64_t changes = 0;
  uint64_t heard = 0;
};

void RunWatch::Start(const operators::v1::GetRunRequest& request,
                     std::shared_ptr<Feed<operators::v1::RunView>> feed) {
  Look(std::make_shared<Watcher>(*this, request, std::move(feed)));
}

void RunWatch::Look(std::shared_ptr<Watcher> watcher) {
  if (watcher->feed->Over()) return;
  const auto again = [this, watcher] { workers_.RunAfter(kLookEvery, [this, watcher] { Look(watcher); }); };
  // Taken before the view is made: what changes meanwhile is seen the next time.
  const uint64_t changes = ChangesOf(watcher->request.run());
  const uint64_t heard = watcher->request.targets() ? site_.progress.Heard() : 0;
  const bool news = !watcher->shown || changes != watcher->changes || heard != watcher->heard;
  if (!news || !watcher->feed->Drained()) return again();
  watcher->shown = true;
  watcher->changes = changes;
  watcher->heard = heard;
  loop_.Query([this, watcher, again](const engine::Engine& engine) {
    operators::v1::RunView view;
    const std::string nobody;
    if (absl::Status status = GetRun({site_, engine, nobody}, watcher->request, &view); !status.ok()) {
      return watcher->feed->End(status);
    }
    const bool ended = view.ended_ms() != 0;
    watcher->feed->Offer(std::move(view));
    ended ? watcher->feed->End(absl::OkStatus()) : again();
  });
}

uint64_t RunWatch::ChangesOf(uint64_t run) const {
  std::lock_guard lock(mutex_);
  const auto found = changes_.find(run);
  return found == changes_.end() ? 0 : found->second;
}

void RunWatch::OnEvents(const engine::Engine&, const std::vector<journal::v1::Event>& events) {
  if (watchers_ == 0) return;
  std::lock_guard lock(mutex_);
  for (const journal::v1::Event& event : events) {
    if (const uint64_t run = RunOf(event); run != 0) ++changes_[run];
  }
}

}  // namespace reprise::coordinator
