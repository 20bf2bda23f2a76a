#include "agents/spool/sqlite_spool.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/sha256.h"

namespace reprise::spool {
namespace {

using agent::v1::SpoolRecord;

constexpr int64_t kApplicationId = 0x52505350;  // "RPSP"
constexpr int64_t kVersion = 1;
constexpr char kSchema[] =
    "CREATE TABLE record(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, hash BLOB NOT NULL)";

std::string FirstHash() {
  return std::string(crypto::kSha256Size, '\0');
}

std::string NextHash(const std::string& previous, int64_t sequence, const std::string& payload) {
  crypto::Sha256Hasher hasher;
  hasher.Update(previous);
  char number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<char>(static_cast<uint64_t>(sequence) >> (56 - 8 * i));
  hasher.Update(std::string_view(number, sizeof number));
  hasher.Update(payload);
  return hasher.Finish();
}

absl::Status Damaged(const std::filesystem::path& path, const std::string& what) {
  return absl::DataLossError(absl::StrCat(
      path.string(), ": the spool is damaged: ", what,
      ". The agent does not guess what it has done. Look at this host by hand, keep the file for the enquiry "
      "(move it aside), then enrol again with a new join code (`reprise host token`, `reprise-agent join`) and retry "
      "the "
      "host's tasks: each begins with a probe"));
}

absl::Status Explained(const sqlite::Database& database, const absl::Status& status) {
  return status.code() == absl::StatusCode::kDataLoss ? Damaged(database.path(), std::string(status.message()))
                                                      : status;
}

struct Content {
  std::vector<SpoolRecord> records;
  std::string hash = FirstHash();
  int64_t sequence = 0;
};

absl::StatusOr<Content> ReadAll(sqlite::Database& database) {
  Content content;
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   database.Prepare("SELECT sequence, payload, hash FROM record ORDER BY sequence"));
  for (;;) {
    absl::StatusOr<bool> row = select.Step();
    if (!row.ok()) return Explained(database, row.status());
    if (!*row) return content;
    const std::string payload = select.Blob(1);
    if (select.Int(0) != content.sequence + 1) {
      return Damaged(database.path(), absl::StrCat("record ", content.sequence + 1, " is missing"));
    }
    content.sequence = select.Int(0);
    content.hash = NextHash(content.hash, content.sequence, payload);
    if (select.Blob(2) != content.hash || !content.records.emplace_back().ParseFromString(payload)) {
      return Damaged(database.path(), absl::StrCat("record ", content.sequence, " is not what was written"));
    }
  }
}

// A file of another program, or of a newer version of this one, is left alone.
absl::Status CheckKind(sqlite::Database& database) {
  ASSIGN_OR_RETURN(const int64_t id, database.Number("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, database.Number("PRAGMA user_version"));
  if (id != kApplicationId) {
    return absl::FailedPreconditionError(absl::StrCat(database.path().string(), ": is not an agent's spool"));
  }
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(database.path().string(), ": spool of version ", version,
                                                      "; this agent reads version ", kVersion,
                                                      ". Install the agent's version that wrote it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SqliteSpool::Opened> SqliteSpool::Open(const std::filesystem::path& path) {
  auto database = sqlite::Database::Open(path, sqlite::Database::Mode::kReadWrite);
  if (!database.ok()) {
    return database.status().code() == absl::StatusCode::kDataLoss
               ? Damaged(path, std::string(database.status().message()))
               : database.status();
  }
  return Prepare(*std::move(database));
}

absl::StatusOr<SqliteSpool::Opened> SqliteSpool::OpenOrCreate(const std::filesystem::path& path) {
  auto database = sqlite::Database::Open(path, sqlite::Database::Mode::kCreate);
  if (!database.ok()) return Open(path);  // Which says what is wrong with it.
  // No schema: new, or its making was cut short.
  ASSIGN_OR_RETURN(const int64_t schema, database->Number("PRAGMA schema_version"));
  if (schema == 0) {
    if (chmod(path.c_str(), 0600) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(path.string(), ": cannot set the mode"));
    }
    RETURN_IF_ERROR(database->MakeDurable());
    RETURN_IF_ERROR(database->Transaction([&] {
      RETURN_IF_ERROR(database->Execute(kSchema));
      RETURN_IF_ERROR(database->Execute(absl::StrCat("PRAGMA application_id=", kApplicationId)));
      return database->Execute(absl::StrCat("PRAGMA user_version=", kVersion));
    }));
  }
  return Prepare(*std::move(database));
}

absl::StatusOr<SqliteSpool::Opened> SqliteSpool::Prepare(sqlite::Database database) {
  if (absl::Status status = CheckKind(database); !status.ok()) return Explained(database, status);
  RETURN_IF_ERROR(database.MakeDurable());
  if (absl::Status status = database.CheckIntegrity(); !status.ok()) return Explained(database, status);
  ASSIGN_OR_RETURN(Content content, ReadAll(database));
  ASSIGN_OR_RETURN(sqlite::Statement insert,
                   database.Prepare("INSERT INTO record(sequence, payload, hash) VALUES(?, ?, ?)"));
  Opened opened;
  opened.spool.reset(new SqliteSpool(std::move(database), std::move(insert)));
  opened.spool->hash_ = content.hash;
  opened.spool->sequence_ = content.sequence;
  opened.spool->count_ = content.records.size();
  opened.records = std::move(content.records);
  return opened;
}

absl::StatusOr<std::vector<SpoolRecord>> SqliteSpool::ReadOnly(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(sqlite::Database database, sqlite::Database::Open(path, sqlite::Database::Mode::kReadOnly));
  RETURN_IF_ERROR(CheckKind(database));
  ASSIGN_OR_RETURN(Content content, ReadAll(database));
  return std::move(content.records);
}

absl::Status SqliteSpool::Insert(const std::vector<SpoolRecord>& records, std::string* hash, int64_t* sequence) {
  for (const SpoolRecord& record : records) {
    const std::string payload = record.SerializeAsString();
    *sequence += 1;
    *hash = NextHash(*hash, *sequence, payload);
    RETURN_IF_ERROR(insert_.Bind(1, *sequence).BindBlob(2, payload).BindBlob(3, *hash).Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteSpool::Append(const std::vector<SpoolRecord>& records) {
  if (records.empty()) return absl::OkStatus();
  std::string hash = hash_;
  int64_t sequence = sequence_;
  RETURN_IF_ERROR(database_.Transaction([&] { return Insert(records, &hash, &sequence); }));
  hash_ = std::move(hash);
  sequence_ = sequence;
  count_ += records.size();
  return absl::OkStatus();
}

absl::Status SqliteSpool::Replace(const std::vector<SpoolRecord>& records) {
  std::string hash = FirstHash();
  int64_t sequence = 0;
  RETURN_IF_ERROR(database_.Transaction([&] {
    RETURN_IF_ERROR(database_.Execute("DELETE FROM record"));
    return Insert(records, &hash, &sequence);
  }));
  hash_ = std::move(hash);
  sequence_ = sequence;
  count_ = records.size();
  return absl::OkStatus();
}

}  // namespace reprise::spool
