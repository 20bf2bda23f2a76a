#include "plugins/mail/ledger_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "plugins/sdk/error.h"
#include "plugins/sdk/file.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Refuse(sqlite3* handle, int code, const std::string& doing) {
  const std::string what = "the ledger, " + doing + ": " + (handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  switch (code & 0xFF) {
    case SQLITE_FULL: throw sdk::Error("disk_full", what, "free space on this host, then retry the run");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: throw sdk::Error("in_use", what, "another run moves this mailbox");
    default:
      throw sdk::Error("ledger_broken", what,
                       "move the ledger's file away: the next pass finds again what is in the target, and copies nothing twice");
  }
}

// A URI of the path, whatever is in it.
std::string UriOf(const fs::path& path, const char* query) {
  std::string uri = "file:";
  for (const unsigned char c : path.string()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += '%';
      uri += "0123456789ABCDEF"[c >> 4];
      uri += "0123456789ABCDEF"[c & 15];
    } else {
      uri += static_cast<char>(c);
    }
  }
  return uri + query;
}

}  // namespace

struct Database::Statements {
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalizer>> prepared;
};

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close(handle); }
void Database::StatementsCloser::operator()(Statements* statements) const { delete statements; }

Statement& Statement::Bind(int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    sqlite3* handle = sqlite3_db_handle(statement_);
    sqlite3_reset(statement_);
    Refuse(handle, code, "a statement");
  }
  sqlite3_reset(statement_);
  return false;
}

void Statement::Run() {
  while (Step()) {
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

Database Database::Open(const std::string& uri) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database;
  database.handle_.reset(handle);
  database.statements_.reset(new Statements);
  if (code != SQLITE_OK) Refuse(handle, code, "opening it");
  return database;
}

Database Database::OpenToWrite(const fs::path& path) {
  // SQLite would make it as the umask says.
  sdk::Fd made(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made) sdk::ThrowErrno(errno, "open " + path.string());
  made.Reset();
  Database database = Open(UriOf(path, ""));
  // Exclusive before WAL: then no shared memory is needed, and a second opener is told so.
  database.Execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-2000");
  return database;
}

Database Database::OpenToRead(const fs::path& path, const fs::path& scratch) {
  std::error_code none;
  const fs::path wal = path.string() + "-wal";
  if (fs::file_size(wal, none) > 0 && !none) {
    const fs::path copy = scratch / path.filename();
    fs::remove(copy.string() + "-wal", none);
    fs::copy_file(path, copy, fs::copy_options::overwrite_existing);
    fs::copy_file(wal, copy.string() + "-wal", fs::copy_options::overwrite_existing);
    Database database = Open(UriOf(copy, ""));
    database.Execute("PRAGMA locking_mode=EXCLUSIVE");
    return database;
  }
  return Open(UriOf(path, "?mode=ro&immutable=1"));
}

void Database::Execute(const char* sql) {
  if (const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) {
    Refuse(handle_.get(), code, std::string(sql).substr(0, 40));
  }
}

Statement Database::Use(const char* sql) {
  auto& prepared = statements_->prepared[sql];
  if (!prepared) {
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) Refuse(handle_.get(), code, "preparing a statement");
    prepared.reset(made);
  }
  sqlite3_reset(prepared.get());
  sqlite3_clear_bindings(prepared.get());
  return Statement(prepared.get());
}

}  // namespace reprise::mail
