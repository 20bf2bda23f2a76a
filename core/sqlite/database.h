// SQLite with its handles owned: open, statements, transactions. Nothing is hidden that a durable log needs to see.
// Not thread-safe: one owner. A Database outlives its statements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace reprise::sqlite {

// A prepared statement. Bind (from 1), Step, read columns (from 0), Reset; then again.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // The bytes are copied.
  Statement& Bind(int index, int64_t value);
  Statement& BindText(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);
  Statement& BindNull(int index);

  // True: a row is there. False: done, and reset.
  absl::StatusOr<bool> Step();
  // For statements that give no row: steps to the end and resets.
  absl::Status Run();
  void Reset();

  int64_t Int(int column) const;
  std::string Text(int column) const;
  std::string Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Statement& Bound(int code);

  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;  // The first since the last step.
};

class Database {
 public:
  enum class Mode { kReadOnly, kReadWrite, kCreate };

  // NOT_FOUND: no such file (unless kCreate); DATA_LOSS: not a database, or a damaged one.
  static absl::StatusOr<Database> Open(const std::filesystem::path& path, Mode mode);
  Database(Database&&) noexcept = default;
  Database& operator=(Database&&) noexcept = default;
  ~Database() = default;

  // Journal in WAL mode, each commit synced before it returns: what was committed survives a loss of power.
  absl::Status MakeDurable();

  absl::Status Execute(const std::string& sql);
  absl::StatusOr<Statement> Prepare(const std::string& sql);
  absl::StatusOr<int64_t> Number(const std::string& sql);  // First column of the first row.
  absl::StatusOr<std::string> Text(const std::string& sql);

  // BEGIN IMMEDIATE, `work`, COMMIT; ROLLBACK when `work` or the commit fails.
  absl::Status Transaction(const std::function<absl::Status()>& work);

  // OK, or DATA_LOSS with what SQLite's own check found first.
  absl::Status CheckIntegrity();

  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  Database(std::filesystem::path path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

// RESOURCE_EXHAUSTED: disk full; DATA_LOSS: damaged or not a database; UNAVAILABLE: locked, or the disk failed;
// PERMISSION_DENIED, NOT_FOUND; else INTERNAL. Names the file, what was being done, and SQLite's own words.
absl::Status ErrorOf(sqlite3* handle, int code, const char* doing);

}  // namespace reprise::sqlite
