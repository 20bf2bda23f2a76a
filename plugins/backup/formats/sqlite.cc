// SQLite: the header's sizes against the file's, then SQLite's own integrity check of every page, over a source instead
// of a file. Pages have no checksum: a changed letter in a row is not seen.
#include <sqlite3.h>

#include <cstring>
#include <memory>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr std::string_view kSqliteMagic("SQLite format 3\0", 16);

// SQLite's view of the one content that is being judged: read-only, nothing beside it, locks that always hold.
Source* current = nullptr;

int Close(sqlite3_file*) {
  return SQLITE_OK;
}
int Read(sqlite3_file*, void* into, int count, sqlite3_int64 offset) {
  const size_t got = current->Read(static_cast<uint64_t>(offset), static_cast<char*>(into), static_cast<size_t>(count));
  if (got == static_cast<size_t>(count)) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + got, 0, static_cast<size_t>(count) - got);
  return SQLITE_IOERR_SHORT_READ;
}
int Write(sqlite3_file*, const void*, int, sqlite3_int64) {
  return SQLITE_READONLY;
}
int Truncate(sqlite3_file*, sqlite3_int64) {
  return SQLITE_READONLY;
}
int Sync(sqlite3_file*, int) {
  return SQLITE_OK;
}
int Size(sqlite3_file*, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(current->Size());
  return SQLITE_OK;
}
int Lock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int Locked(sqlite3_file*, int* held) {
  *held = 0;
  return SQLITE_OK;
}
int Control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int Sector(sqlite3_file*) {
  return 4096;
}
int Traits(sqlite3_file*) {
  return SQLITE_IOCAP_IMMUTABLE;
}
constexpr sqlite3_io_methods kMethods = {1,       Close,   Read,    Write,   Truncate, Sync,   Size,
                                         Lock,    Lock,    Locked,  Control, Sector,   Traits, nullptr,
                                         nullptr, nullptr, nullptr, nullptr, nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int, int* flags) {
  if (name == nullptr) return SQLITE_CANTOPEN;  // No temporary files.
  file->pMethods = &kMethods;
  if (flags != nullptr) *flags = SQLITE_OPEN_READONLY;
  return SQLITE_OK;
}
int Delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_READONLY;
}
int Access(sqlite3_vfs*, const char*, int, int* there) {
  *there = 0;
  return SQLITE_OK;
}
int FullName(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

// The default one, but for what concerns files.
const char* Vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs made = *sqlite3_vfs_find(nullptr);
    made.iVersion = 1;
    made.szOsFile = sizeof(sqlite3_file);
    made.zName = "reprise-source";
    made.xOpen = Open;
    made.xDelete = Delete;
    made.xAccess = Access;
    made.xFullPathname = FullName;
    return made;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? "reprise-source" : nullptr;
}

class Sqlite final : public Decoder {
 public:
  const char* name() const override { return "sqlite"; }
  bool Recognises(std::string_view head) const override { return head.substr(0, 16) == kSqliteMagic; }

  void Decode(Source& source, Report& report) const override {
    if (!source.Settle())
      return report.Undecided(0, "a database that fits into memory, or is a file", "a larger one, compressed");
    const std::string header = source.ReadString(0, 100);
    if (header.size() < 100) return report.Truncated(header.size(), "a header of 100 bytes");
    const std::string_view fields(header);
    const uint64_t stated = BigEndian(fields.substr(16, 2));
    const uint64_t page = stated == 1 ? 65536 : stated;
    if (page < 512 || (page & (page - 1)) != 0) return report.Damaged(16, "a page size", HexOf(fields.substr(16, 2)));
    const uint64_t pages = BigEndian(fields.substr(28, 4));
    const bool count_holds = fields.substr(24, 4) == fields.substr(92, 4);
    const uint64_t size = source.Size();
    if (count_holds && size < pages * page) return report.Truncated(size, Words(pages, " pages of ", page, " bytes"));
    if (count_holds && size > pages * page) {
      return report.Damaged(pages * page, "the end of the database", Words(size - pages * page, " more bytes"));
    }
    if (size % page != 0) return report.Truncated(size, Words("whole pages of ", page, " bytes"));
    current = &source;
    Check(report);
    current = nullptr;
  }

 private:
  // Functions and orders of letters that an application brings along: without them its indexes cannot be compared.
  static bool IsOfItsApplication(std::string_view words) {
    return Contains(words, "unknown function") || Contains(words, "no such function") || Contains(words, "no such collation") ||
           Contains(words, "no such module") || Contains(words, "unsafe use of");
  }

  static void Check(Report& report) {
    sqlite3* handle = nullptr;
    const int opened =
        sqlite3_open_v2("file:content?immutable=1", &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, Vfs());
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner(handle, sqlite3_close);
    if (opened != SQLITE_OK) return report.Damaged(0, "a database that can be opened", sqlite3_errmsg(handle));
    sqlite3_exec(handle, "PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768", nullptr,
                 nullptr, nullptr);
    sqlite3_stmt* statement = nullptr;
    const int prepared = sqlite3_prepare_v2(handle, "PRAGMA integrity_check(5)", -1, &statement, nullptr);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> holder(statement, sqlite3_finalize);
    int step = prepared == SQLITE_OK ? sqlite3_step(statement) : prepared;
    bool sound = false;
    for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      if (text != nullptr && std::string_view(text) == "ok") {
        sound = true;
      } else if (text != nullptr && IsOfItsApplication(text)) {
        report.Undecided(0, "pages that can be compared (integrity_check)", text);
      } else if (text != nullptr) {
        report.Damaged(0, "pages that agree (integrity_check)", text);
      }
    }
    if (step != SQLITE_DONE && IsOfItsApplication(sqlite3_errmsg(handle)))
      return report.Undecided(0, "pages that can be compared (integrity_check)", sqlite3_errmsg(handle));
    if (step != SQLITE_DONE)
      return report.Damaged(0, "pages that can be read (integrity_check)", sqlite3_errmsg(handle));
    if (!sound && report.clean()) report.Damaged(0, "an answer of integrity_check", "none");
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeSqlite() {
  return std::make_unique<Sqlite>();
}

}  // namespace reprise::backup
