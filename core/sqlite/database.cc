#include "core/sqlite/database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace reprise::sqlite {
namespace {

constexpr int kBusyMs = 5000;

}  // namespace

absl::Status ErrorOf(sqlite3* handle, int code, const char* doing) {
  const char* file = handle == nullptr ? nullptr : sqlite3_db_filename(handle, "main");
  const char* words = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  const std::string text = absl::StrCat(file == nullptr || *file == '\0' ? "database" : file, ": cannot ", doing, ": ",
                                        words, " (", code, ")");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return absl::DataLossError(text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return absl::UnavailableError(text);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(text);
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(text);
    default:
      return absl::InternalError(text);
  }
}

// ---- Statement ----

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(other.bind_error_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statement_, other.statement_);
  std::swap(bind_error_, other.bind_error_);
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::Bound(int code) {
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::Bind(int index, int64_t value) {
  return Bound(sqlite3_bind_int64(statement_, index, value));
}

Statement& Statement::BindText(int index, std::string_view text) {
  return Bound(sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  return Bound(sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                                   SQLITE_TRANSIENT));
}

Statement& Statement::BindNull(int index) {
  return Bound(sqlite3_bind_null(statement_, index));
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    const int code = std::exchange(bind_error_, SQLITE_OK);
    return ErrorOf(database_, code, "bind a value");
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    Reset();
    return false;
  }
  absl::Status status = ErrorOf(database_, sqlite3_extended_errcode(database_), "run a statement");
  Reset();
  return status;
}

absl::Status Statement::Run() {
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

void Statement::Reset() {
  sqlite3_reset(statement_);
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Text(int column) const {
  return Blob(column);
}

std::string Statement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// ---- Database ----

void Database::Closer::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

absl::StatusOr<Database> Database::Open(const std::filesystem::path& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (mode) {
    case Mode::kReadOnly:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Mode::kReadWrite:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Mode::kCreate:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database(path, handle);
  if (code != SQLITE_OK) {
    absl::Status status = ErrorOf(handle, code, "open it");
    return absl::Status(status.code(), absl::StrCat(path.string(), ": ", std::string(status.message())));
  }
  sqlite3_busy_timeout(handle, kBusyMs);
  // Opening is lazy: only a read tells a database from another file.
  RETURN_IF_ERROR(database.Number("PRAGMA schema_version").status());
  return database;
}

absl::Status Database::MakeDurable() {
  ASSIGN_OR_RETURN(const std::string mode, Text("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(
        absl::StrCat(path_.string(), ": this file system does not allow a write-ahead log (journal mode ", mode,
                     "); keep the file on a local disk"));
  }
  return Execute("PRAGMA synchronous=FULL");
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(handle_.get(), code, "run a statement");
}

absl::StatusOr<Statement> Database::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(handle_.get(), code, "prepare a statement");
  return Statement(handle_.get(), statement);
}

absl::StatusOr<int64_t> Database::Number(const std::string& sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError(absl::StrCat(path_.string(), ": no row for: ", sql));
  return statement.Int(0);
}

absl::StatusOr<std::string> Database::Text(const std::string& sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError(absl::StrCat(path_.string(), ": no row for: ", sql));
  return statement.Text(0);
}

absl::Status Database::Transaction(const std::function<absl::Status()>& work) {
  RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  absl::Status status = work();
  if (status.ok()) status = Execute("COMMIT");
  // After a failed commit the transaction may still stand; a rollback without one does no harm.
  if (!status.ok()) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return status;
}

absl::Status Database::CheckIntegrity() {
  ASSIGN_OR_RETURN(const std::string found, Text("PRAGMA quick_check(1)"));
  if (found == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path_.string(), ": ", found));
}

}  // namespace reprise::sqlite
