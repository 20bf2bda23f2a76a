#include "core/journal/sqlite_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/sha256.h"
#include "core/journal/schema.h"

namespace reprise::journal {

// A file of its own: closing any descriptor of the database would drop SQLite's own locks on it.
class SqliteJournal::Lock {
 public:
  explicit Lock(int fd) : fd_(fd) {}
  ~Lock() { close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  static absl::StatusOr<std::unique_ptr<Lock>> Take(const std::filesystem::path& journal) {
    const std::string path = journal.string() + ".lock";
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
    auto lock = std::make_unique<Lock>(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(journal.string(), ": another coordinator writes this journal; stop that one first"));
    }
    return lock;
  }

 private:
  const int fd_;
};

namespace {

constexpr int kSnapshotsKept = 2;

// The port knows two ways of failing, both of which leave the journal as it was.
absl::Status AsPortError(const absl::Status& status) {
  if (status.ok() || status.code() == absl::StatusCode::kResourceExhausted) return status;
  return absl::UnavailableError(status.message());
}

// What cannot be read again must not be written: one such event, and no coordinator starts from this journal any more.
// Messages that came from outside were read once already; it is what was made of them here that is checked.
absl::Status CheckReadsBack(const v1::Event& event, const std::string& payload, v1::Event& room) {
  if (room.ParseFromString(payload)) return absl::OkStatus();
  const auto* kind = event.GetDescriptor()->FindFieldByNumber(static_cast<int>(event.kind_case()));
  return absl::InvalidArgumentError(
      absl::StrCat("an event (", kind == nullptr ? "of no kind" : kind->name(), ", by ", event.actor(),
                   ") could not be read back, and was not written: some text in it is not UTF-8. That is a fault of this "
                   "program; expel the host if it is one's"));
}

}  // namespace

SqliteJournal::SqliteJournal(std::unique_ptr<Lock> lock, sqlite::Database database, sqlite::Statement insert)
    : lock_(std::move(lock)), database_(std::move(database)), insert_(std::move(insert)) {}

SqliteJournal::~SqliteJournal() = default;

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Create(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) {
    return absl::AlreadyExistsError(absl::StrCat(path.string(), ": there is a journal already"));
  }
  ASSIGN_OR_RETURN(auto lock, Lock::Take(path));
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kCreate));
  if (chmod(path.c_str(), 0600) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path.string(), ": cannot set the mode"));
  }
  RETURN_IF_ERROR(database.MakeDurable());
  RETURN_IF_ERROR(internal::CreateSchema(database));
  return Start(std::move(lock), std::move(database));
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    return absl::NotFoundError(absl::StrCat(path.string(), ": no journal there; make one with `reprise init`"));
  }
  ASSIGN_OR_RETURN(auto lock, Lock::Take(path));
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kReadWrite));
  RETURN_IF_ERROR(internal::CheckKind(database));
  RETURN_IF_ERROR(database.MakeDurable());
  return Start(std::move(lock), std::move(database));
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Start(std::unique_ptr<Lock> lock,
                                                                    sqlite::Database database) {
  ASSIGN_OR_RETURN(internal::Tail tail, internal::ReadTail(database));
  ASSIGN_OR_RETURN(auto insert, database.Prepare("INSERT INTO event(sequence, payload, hash) VALUES(?, ?, ?)"));
  std::unique_ptr<SqliteJournal> journal(
      new SqliteJournal(std::move(lock), std::move(database), std::move(insert)));
  journal->sequence_ = tail.sequence;
  journal->head_ = std::move(tail.head);
  return journal;
}

absl::Status SqliteJournal::Append(const std::vector<v1::Event>& events) {
  if (events.empty()) return absl::OkStatus();
  uint64_t sequence = sequence_;
  std::string head = head_;
  std::string payload;
  v1::Event room;
  RETURN_IF_ERROR(AsPortError(database_.Transaction([&]() -> absl::Status {
    for (const v1::Event& event : events) {
      event.SerializeToString(&payload);
      RETURN_IF_ERROR(CheckReadsBack(event, payload, room));
      head = ChainHash(head, ++sequence, payload);
      RETURN_IF_ERROR(
          insert_.Bind(1, static_cast<int64_t>(sequence)).BindBlob(2, payload).BindBlob(3, head).Run());
    }
    return absl::OkStatus();
  })));
  sequence_ = sequence;
  head_ = std::move(head);
  return absl::OkStatus();
}

absl::Status SqliteJournal::Read(uint64_t from, const std::function<absl::Status(const Record&)>& visit) {
  return internal::ReadRecords(database_, from, visit);
}

absl::Status SqliteJournal::SaveSnapshot(const Snapshot& snapshot) {
  return AsPortError(database_.Transaction([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::string head, internal::HashBefore(database_, snapshot.sequence + 1));
    ASSIGN_OR_RETURN(auto insert, database_.Prepare("INSERT OR REPLACE INTO "
                                                    "snapshot(sequence, head, state, state_sha256) VALUES(?, ?, ?, ?)"));
    RETURN_IF_ERROR(insert.Bind(1, static_cast<int64_t>(snapshot.sequence))
                        .BindBlob(2, head)
                        .BindBlob(3, snapshot.state)
                        .BindBlob(4, crypto::Sha256(snapshot.state))
                        .Run());
    return database_.Execute(absl::StrCat(
        "DELETE FROM snapshot WHERE sequence NOT IN (SELECT sequence FROM snapshot ORDER BY sequence DESC LIMIT ",
        kSnapshotsKept, ")"));
  }));
}

absl::StatusOr<Snapshot> SqliteJournal::LoadSnapshot() {
  ASSIGN_OR_RETURN(auto snapshots, internal::ReadSnapshots(database_));
  for (auto& stored : snapshots) {
    if (stored.snapshot.sequence > sequence_ || stored.state_sha256 != crypto::Sha256(stored.snapshot.state)) continue;
    const auto head = internal::HashBefore(database_, stored.snapshot.sequence + 1);
    if (head.ok() && *head == stored.head) return std::move(stored.snapshot);
  }
  return absl::NotFoundError("the journal holds no snapshot");
}

}  // namespace reprise::journal
