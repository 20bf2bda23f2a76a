#include "core/journal/verify.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/engine/engine.h"
#include "core/journal/schema.h"

namespace reprise::journal {
namespace {

constexpr uint64_t kProgressEvery = 4096;

class Verifier {
 public:
  Verifier(sqlite::Database& database, const VerifyOptions& options) : database_(database), options_(options) {
    if (options_.refold) engine_.emplace();
  }

  absl::StatusOr<VerifyReport> Run() {
    // SQLite's own check first: what it finds would otherwise show as rows that are strangely missing.
    if (const absl::Status whole = database_.CheckIntegrity(); !whole.ok()) Fail(0, Text(whole));
    // One view of the file, whatever a coordinator appends meanwhile.
    RETURN_IF_ERROR(database_.Execute("BEGIN"));
    if (const absl::Status read = ReadAll(); !read.ok()) Fail(report_.events + 1, Text(read));
    report_.head = ToHex(head_);
    if (engine_) {
      report_.refolded = true;
      report_.state_sha256 = ToHex(crypto::Sha256(engine_->Snapshot()));
    }
    return std::move(report_);
  }

 private:
  static std::string Text(const absl::Status& status) { return std::string(status.message()); }

  void Fail(uint64_t sequence, std::string what) {
    if (report_.faults.size() < kFaultsMax) report_.faults.push_back({sequence, std::move(what)});
  }

  absl::Status ReadAll() {
    ASSIGN_OR_RETURN(auto snapshots, internal::ReadSnapshots(database_));
    report_.snapshots = static_cast<uint32_t>(snapshots.size());
    for (auto& stored : snapshots) {
      if (crypto::Sha256(stored.snapshot.state) != stored.state_sha256) {
        Fail(stored.snapshot.sequence, "the snapshot after this event is not what was written");
        continue;
      }
      const uint64_t sequence = stored.snapshot.sequence;
      snapshots_.emplace(sequence, std::move(stored));
    }
    ASSIGN_OR_RETURN(const int64_t total, database_.Number("SELECT count(*) FROM event"));
    ASSIGN_OR_RETURN(auto select, database_.Prepare("SELECT sequence, payload, hash FROM event ORDER BY sequence"));
    for (;;) {
      ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) break;
      Look({static_cast<uint64_t>(select.Int(0)), select.Blob(2), select.Blob(1)});
      if (options_.progress && report_.events % kProgressEvery == 0) {
        options_.progress(report_.events, static_cast<uint64_t>(total));
      }
    }
    for (const auto& [sequence, stored] : snapshots_) {
      Fail(sequence, "a snapshot stands after an event that is not there");
    }
    if (options_.progress) options_.progress(report_.events, static_cast<uint64_t>(total));
    return absl::OkStatus();
  }

  // Goes on after a fault from what stands there, so that each fault is named once.
  void Look(const Record& record) {
    const uint64_t expected = sequence_ + 1;
    if (record.sequence != expected) {
      Fail(expected, record.sequence > expected + 1 ? absl::StrCat("missing, up to event ", record.sequence - 1)
                                                    : std::string("missing"));
      engine_.reset();
    }
    const bool whole = record.hash == ChainHash(head_, record.sequence, record.payload);
    if (!whole && record.sequence == expected) Fail(record.sequence, "not what was written: its hash does not fit");
    sequence_ = record.sequence;
    head_ = record.hash;
    report_.events += 1;
    v1::Event event;
    if (!event.ParseFromString(record.payload)) {
      if (whole) Fail(record.sequence, "cannot be read as an event");
      engine_.reset();
    } else {
      if (report_.first == 0) report_.first = event.at_ms();
      report_.last = event.at_ms();
    }
    if (!whole) engine_.reset();
    Fold(event);
    CompareSnapshot();
  }

  void Fold(const v1::Event& event) {
    if (!engine_) return;
    if (const absl::Status applied = engine_->Apply(event); !applied.ok()) {
      Fail(sequence_, absl::StrCat("is not a legal event there: ", Text(applied)));
      engine_.reset();
    }
  }

  void CompareSnapshot() {
    const auto stored = snapshots_.find(sequence_);
    if (stored == snapshots_.end()) return;
    if (stored->second.head != head_) Fail(sequence_, "the snapshot after this event belongs to another history");
    if (engine_ && engine_->Snapshot() != stored->second.snapshot.state) {
      Fail(sequence_, "the snapshot after this event is not the fold of the events up to it");
    }
    snapshots_.erase(stored);
  }

  sqlite::Database& database_;
  const VerifyOptions& options_;
  std::optional<engine::Engine> engine_;  // Absent: not wanted, or the history cannot be folded any further.
  std::map<uint64_t, internal::StoredSnapshot> snapshots_;
  VerifyReport report_;
  uint64_t sequence_ = 0;
  std::string head_ = std::string(crypto::kSha256Size, '\0');
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyJournal(const std::filesystem::path& path, const VerifyOptions& options) {
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kReadOnly));
  RETURN_IF_ERROR(internal::CheckKind(database));
  return Verifier(database, options).Run();
}

}  // namespace reprise::journal
