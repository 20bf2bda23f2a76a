#include "core/coordinator/journal_feed.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/coordinator/event_run.h"
#include "core/journal/journal_reader.h"

namespace reprise::coordinator {
namespace {

using operators::v1::JournalRecord;

constexpr size_t kPortionBytes = 1 << 20;
constexpr size_t kPortionRecords = 20'000;  // Also of those that are not wanted.
constexpr auto kWhileBusy = std::chrono::milliseconds(5);
constexpr auto kWhileIdle = std::chrono::milliseconds(100);

class JournalFeed : public std::enable_shared_from_this<JournalFeed> {
 public:
  JournalFeed(std::filesystem::path journal, const operators::v1::ReadJournalRequest& request, const Loop& loop,
              Workers& workers, std::shared_ptr<Feed<JournalRecord>> feed)
      : path_(std::move(journal)),
        next_(std::max<uint64_t>(request.from(), 1)),
        run_(request.run()),
        follow_(request.follow()),
        loop_(loop),
        workers_(workers),
        feed_(std::move(feed)) {}

  void Go(std::chrono::milliseconds delay) {
    workers_.RunAfter(delay, [self = shared_from_this()] { self->Work(); });
  }

 private:
  void Work() {
    if (feed_->Over()) return;
    if (!feed_->Drained()) return Go(kWhileBusy);
    if (!reader_) {
      auto opened = journal::JournalReader::Open(path_);
      if (!opened.ok()) return feed_->End(opened.status());
      reader_.emplace(*std::move(opened));
    }
    if (next_ <= loop_.LastSequence()) {
      if (absl::Status status = Portion(); !status.ok()) return feed_->End(status);
      return Go(kWhileBusy);
    }
    if (!follow_) return feed_->End(absl::OkStatus());
    Go(kWhileIdle);
  }

  absl::Status Portion() {
    size_t bytes = 0, records = 0;
    absl::Status status = reader_->Read(next_, [&](const journal::Record& record) -> absl::Status {
      if (bytes >= kPortionBytes || records >= kPortionRecords) return absl::CancelledError();
      records += 1;
      next_ = record.sequence + 1;
      JournalRecord out;
      if (!out.mutable_event()->ParseFromString(record.payload)) {
        return absl::DataLossError(absl::StrCat("event ", record.sequence, " of the journal cannot be read"));
      }
      if (run_ != 0 && RunOf(out.event()) != run_) return absl::OkStatus();
      bytes += record.payload.size();
      out.set_sequence(record.sequence);
      out.set_hash(record.hash);
      return feed_->Offer(std::move(out)) ? absl::OkStatus() : absl::CancelledError();
    });
    return absl::IsCancelled(status) ? absl::OkStatus() : status;
  }

  const std::filesystem::path path_;
  uint64_t next_;
  const uint64_t run_;
  const bool follow_;
  const Loop& loop_;
  Workers& workers_;
  const std::shared_ptr<Feed<JournalRecord>> feed_;
  std::optional<journal::JournalReader> reader_;
};

}  // namespace

void StartJournalFeed(const std::filesystem::path& journal, const operators::v1::ReadJournalRequest& request,
                      const Loop& loop, Workers& workers, std::shared_ptr<Feed<JournalRecord>> feed) {
  std::make_shared<JournalFeed>(journal, request, loop, workers, std::move(feed))->Go(std::chrono::milliseconds(0));
}

}  // namespace reprise::coordinator
