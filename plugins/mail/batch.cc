#include "plugins/mail/batch.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <thread>

namespace reprise::mail {

using sdk::Error;
using std::chrono::steady_clock;

BatchProgress::BatchProgress(const sdk::Context& context, std::string doing, size_t boxes)
    : context_(context), doing_(std::move(doing)), boxes_(boxes), begin_(steady_clock::now()), told_(begin_) {}

void BatchProgress::Moved(uint64_t messages, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  messages_ += messages;
  bytes_ += bytes;
  Tell(false);
}

void BatchProgress::BoxEnded() {
  const std::lock_guard lock(mutex_);
  ++done_;
  Tell(done_ == boxes_);
}

std::string BatchProgress::Shown(size_t boxes_done, size_t boxes, uint64_t messages, double seconds) {
  std::string text = std::to_string(boxes_done) + " of " + std::to_string(boxes) + " boxes, " + std::to_string(messages) + " messages";
  if (seconds < 1) return text;
  text += ", " + std::to_string(static_cast<uint64_t>(double(messages) / seconds)) + "/s";
  if (boxes_done == 0 || boxes_done >= boxes) return text;
  const auto left = static_cast<uint64_t>(seconds / double(boxes_done) * double(boxes - boxes_done));
  return text + ", about " + (left < 90 ? std::to_string(left) + " s left" : std::to_string((left + 30) / 60) + " min left");
}

void BatchProgress::Tell(bool now) {
  const auto at = steady_clock::now();
  if (!now && at - told_ < std::chrono::seconds(1)) return;
  told_ = at;
  const double seconds = std::chrono::duration<double>(at - begin_).count();
  context_.Progress(boxes_ == 0 ? 1.0 : double(done_) / double(boxes_), doing_ + ": " + Shown(done_, boxes_, messages_, seconds));
}

std::vector<BoxResult> ForEachBox(const std::vector<Box>& boxes, size_t connections, const Watch& watch,
                                  const std::function<BoxResult(const Box&, const Watch&)>& work) {
  std::vector<BoxResult> results(boxes.size());
  std::atomic<size_t> next = 0, at_work = 0;
  std::atomic<bool> over = false;
  std::exception_ptr failure;
  std::mutex mutex;
  Width width(std::max<size_t>(1, connections));
  Watch mine = watch;
  mine.check = [&] {
    if (over) throw Error("cancelled", "another box ended the batch");
    watch.check();
  };
  mine.limited = [&] { width.Narrow(); };
  const auto run = [&] {
    for (;;) {
      try {
        // As many as the servers bear now.
        for (size_t busy = at_work; busy >= width.now() || !at_work.compare_exchange_weak(busy, busy + 1); busy = at_work) {
          mine.check();
          if (next >= boxes.size()) return;
          if (busy >= width.now()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        const size_t index = next++;
        if (index >= boxes.size()) {
          --at_work;
          return;
        }
        results[index] = work(boxes[index], mine);
        width.Widen();
        --at_work;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        over = true;
        return;
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(std::max<size_t>(1, connections), boxes.size()); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  return results;
}

size_t BatchTally::all() const {
  size_t many = 0;
  for (const auto& [state, boxes_in_it] : boxes) many += state == BoxState::kExcluded ? 0 : boxes_in_it;
  return many;
}

std::string BatchTally::Shown() const {
  std::string text;
  for (const auto& [state, many] : boxes) {
    text += (text.empty() ? "" : ", ") + std::to_string(many) + " " + std::string(NameOf(state));
    if (state != BoxState::kFailed) continue;
    std::string why;
    for (const auto& [code, times] : failures) why += (why.empty() ? "" : ", ") + code + " " + std::to_string(times);
    text += " (" + why + ")";
  }
  return text.empty() ? "no box" : text;
}

std::string NotScanned(const std::vector<BoxResult>& results) {
  const auto many = std::count_if(results.begin(), results.end(), [](const BoxResult& one) { return one.unscanned; });
  return many == 0 ? "" : "; attachments of " + std::to_string(many) + (many == 1 ? " mailbox" : " mailboxes") + " not scanned";
}

BatchTally TallyOf(const std::vector<BoxResult>& results) {
  BatchTally tally;
  for (const BoxResult& result : results) {
    ++tally.boxes[result.state];
    if (result.state == BoxState::kFailed) ++tally.failures[result.why];
    tally.moved.copied += result.moved.copied;
    tally.moved.bytes += result.moved.bytes;
    tally.moved.adopted += result.moved.adopted;
    tally.moved.folders += result.moved.folders;
    tally.moved.flags += result.moved.flags;
    tally.moved.removed += result.moved.removed;
    tally.moved.twins += result.moved.twins;
    tally.moved.kept += result.moved.kept;
    tally.moved.held += result.moved.held;
    tally.moved.failed += result.moved.failed;
    if (result.verified) tally.verified.Add(*result.verified);
  }
  return tally;
}

size_t FailuresMax(const std::string& text, size_t boxes) {
  size_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (wrong != std::errc() || (!rest.empty() && rest != "%") || (rest == "%" && number > 100) || number > 1'000'000) {
    throw Error("bad_params", "parameter failures_max is no number of mailboxes and no share of them", "such as 0, 5 or 10%");
  }
  return rest == "%" ? boxes * number / 100 : number;
}

}  // namespace reprise::mail
