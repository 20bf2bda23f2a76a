// SQLite with its handles owned, for the ledger alone. Throws Error "ledger_broken", "disk_full", "in_use". One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace reprise::mail {

// Bind in order, Step, read columns (from 0). Begun anew by each call of Database::Use.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view text);
  // True: a row is there.
  bool Step();
  void Run();
  int64_t Int(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class Database {
 public:
  // Made if missing, 0600; WAL, each commit synced; nobody else may open it meanwhile.
  static Database OpenToWrite(const std::filesystem::path& path);
  // Of a file system that cannot be written: what a killed writer left beside it is taken into account, by a copy in `scratch`.
  static Database OpenToRead(const std::filesystem::path& path, const std::filesystem::path& scratch);

  void Execute(const char* sql);
  // Prepared once. REQUIRES: `sql` is a literal; one use at a time of the same text.
  Statement Use(const char* sql);

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  struct Statements;
  struct StatementsCloser {
    void operator()(Statements* statements) const;
  };
  static Database Open(const std::string& uri);

  std::unique_ptr<sqlite3, Closer> handle_;
  std::unique_ptr<Statements, StatementsCloser> statements_;  // Goes first.
};

}  // namespace reprise::mail
