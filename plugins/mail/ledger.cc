#include "plugins/mail/ledger.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "plugins/sdk/error.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::Json;

constexpr const char* kTables = R"(BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS notes(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders(id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, target TEXT NOT NULL UNIQUE,
  source_validity INTEGER NOT NULL, target_validity INTEGER NOT NULL, accounted INTEGER NOT NULL, own_from INTEGER NOT NULL,
  checked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages(folder INTEGER NOT NULL, uid INTEGER NOT NULL, state INTEGER NOT NULL, bytes INTEGER NOT NULL,
  date INTEGER NOT NULL, zone INTEGER NOT NULL, flags TEXT NOT NULL, sha256 TEXT NOT NULL, target_uid INTEGER NOT NULL,
  own INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY(folder, uid)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS by_target ON messages(folder, target_uid) WHERE target_uid != 0;
CREATE INDEX IF NOT EXISTS intended ON messages(folder, uid) WHERE state = 1;
CREATE INDEX IF NOT EXISTS again ON messages(folder, uid) WHERE note = 'again';
CREATE TABLE IF NOT EXISTS found(folder INTEGER NOT NULL, uid INTEGER NOT NULL, bytes INTEGER NOT NULL, date INTEGER NOT NULL,
  zone INTEGER NOT NULL, sha256 TEXT NOT NULL, own INTEGER NOT NULL, PRIMARY KEY(folder, uid)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS found_looks ON found(folder, bytes, date);
INSERT OR IGNORE INTO notes VALUES('format', '2');
COMMIT)";

#define REPRISE_MAIL_ROW "uid, state, bytes, date, zone, flags, sha256, target_uid, own, note"

// Names of folders come from people: whatever is no UTF-8 is kept as a replacement sign.
std::string TextOf(const std::vector<std::string>& list) { return Json(list).dump(-1, ' ', false, Json::error_handler_t::replace); }
std::vector<std::string> ListOf(const std::string& text) {
  if (text == "[]") return {};
  return Json::parse(text).get<std::vector<std::string>>();
}

// Not the database's own file: SQLite's locks on it would go with the first descriptor that is closed.
sdk::Fd Lock(const fs::path& path, int flags, int how) {
  sdk::Fd fd(open((path.string() + ".lock").c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd && errno == ENOENT) return fd;
  if (!fd) sdk::ThrowErrno(errno, "open the lock of a ledger");
  if (flock(fd.get(), how | LOCK_NB) != 0) {
    throw Error("in_use", "another verb moves this mailbox at this moment", "wait until it has ended");
  }
  return fd;
}

FoundRow FoundOf(const Statement& found) {
  return {{static_cast<uint32_t>(found.Int(0)), static_cast<uint64_t>(found.Int(1)), {found.Int(2), static_cast<int>(found.Int(3))}, found.Text(4)}, found.Int(5) != 0};
}

}  // namespace

Ledger Ledger::OpenToWrite(const fs::path& path) {
  sdk::Fd lock = Lock(path, O_RDWR | O_CREAT, LOCK_EX);
  Ledger ledger(Database::OpenToWrite(path));
  ledger.lock_ = std::move(lock);
  ledger.database_.Execute(kTables);
  const std::string format = ledger.Note("format").value_or("");
  if (format != "2") throw Error("ledger_broken", "the ledger is of format " + format.substr(0, 20) + ", expected 2");
  return ledger;
}

std::optional<Ledger> Ledger::OpenToRead(const fs::path& path, const fs::path& scratch) {
  if (!fs::exists(path)) return std::nullopt;
  sdk::Fd lock = Lock(path, O_RDONLY, LOCK_SH);
  Ledger ledger(Database::OpenToRead(path, scratch));
  ledger.lock_ = std::move(lock);
  // Killed before its tables were made: as if it were not there.
  if (!ledger.database_.Use("SELECT 1 FROM sqlite_master WHERE name = 'found_looks'").Step()) return std::nullopt;
  return ledger;
}

void Ledger::Commit(const std::function<void()>& work) {
  database_.Execute("BEGIN IMMEDIATE");
  try {
    work();
    if (at_commit) at_commit();
    database_.Execute("COMMIT");
  } catch (...) {
    try {
      database_.Execute("ROLLBACK");
    } catch (const Error&) {  // A full disk has rolled it back by itself.
    }
    throw;
  }
  if (at_commit) at_commit();
}

std::optional<std::string> Ledger::Note(std::string_view key) const {
  Statement statement = database_.Use("SELECT value FROM notes WHERE key = ?");
  statement.Bind(key);
  if (!statement.Step()) return std::nullopt;
  std::string value = statement.Text(0);
  statement.Run();
  return value;
}

void Ledger::SetNote(std::string_view key, std::string_view value) {
  database_.Use("INSERT INTO notes VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value").Bind(key).Bind(value).Run();
}

std::vector<FolderPath> Ledger::RefusedFolders() const {
  const auto note = Note("refused_folders");
  return note ? Json::parse(*note).get<std::vector<FolderPath>>() : std::vector<FolderPath>();
}

void Ledger::SetRefusedFolders(const std::vector<FolderPath>& paths) {
  SetNote("refused_folders", Json(paths).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::vector<FolderRow> Ledger::Folders() const {
  std::vector<FolderRow> folders;
  Statement row = database_.Use("SELECT id, source, target, source_validity, target_validity, accounted, own_from, checked FROM folders ORDER BY id");
  while (row.Step()) {
    const auto uid = [&](int column) { return static_cast<uint32_t>(row.Int(column)); };
    folders.push_back({row.Int(0), ListOf(row.Text(1)), ListOf(row.Text(2)), uid(3), uid(4), uid(5), uid(6), uid(7)});
  }
  return folders;
}

FolderRow Ledger::AddFolder(FolderRow folder) {
  database_.Use("INSERT INTO folders(source, target, source_validity, target_validity, accounted, own_from, checked) VALUES(?, ?, ?, ?, ?, ?, ?)")
      .Bind(TextOf(folder.source)).Bind(TextOf(folder.target)).Bind(folder.source_validity).Bind(folder.target_validity)
      .Bind(folder.accounted).Bind(folder.own_from).Bind(folder.checked).Run();
  Statement id = database_.Use("SELECT last_insert_rowid()");
  id.Step();
  folder.id = id.Int(0);
  id.Run();
  return folder;
}

void Ledger::UpdateFolder(const FolderRow& folder) {
  database_.Use("UPDATE folders SET source_validity = ?, target_validity = ?, accounted = ?, own_from = ?, checked = ? WHERE id = ?")
      .Bind(folder.source_validity).Bind(folder.target_validity).Bind(folder.accounted).Bind(folder.own_from).Bind(folder.checked)
      .Bind(folder.id).Run();
}

MessageRow Ledger::RowOf(const Statement& row) {
  return {static_cast<uint32_t>(row.Int(0)), static_cast<MessageState>(row.Int(1)), static_cast<uint64_t>(row.Int(2)),
          {row.Int(3), static_cast<int>(row.Int(4))}, ListOf(row.Text(5)), row.Text(6), static_cast<uint32_t>(row.Int(7)), row.Int(8) != 0, row.Text(9)};
}

std::vector<MessageRow> Ledger::RowsOf(Statement& found) {
  std::vector<MessageRow> rows;
  while (found.Step()) rows.push_back(RowOf(found));
  return rows;
}

std::vector<MessageRow> Ledger::Rows(int64_t folder, uint32_t first, uint32_t last) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid");
  row.Bind(folder).Bind(first).Bind(last);
  return RowsOf(row);
}

std::vector<MessageRow> Ledger::Page(int64_t folder, uint32_t after, size_t many) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND uid > ? ORDER BY uid LIMIT ?");
  row.Bind(folder).Bind(after).Bind(static_cast<int64_t>(many));
  return RowsOf(row);
}

std::vector<MessageRow> Ledger::Again(int64_t folder) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND note = 'again' AND target_uid != 0 ORDER BY uid");
  row.Bind(folder);
  return RowsOf(row);
}

std::vector<MessageRow> Ledger::Troubled(int64_t folder, size_t many) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND state IN (4, 5) ORDER BY uid LIMIT ?");
  row.Bind(folder).Bind(static_cast<int64_t>(many));
  return RowsOf(row);
}

std::vector<MessageRow> Ledger::Intended(int64_t folder, uint32_t after, size_t many) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND uid > ? AND state = 1 ORDER BY uid LIMIT ?");
  row.Bind(folder).Bind(after).Bind(static_cast<int64_t>(many));
  return RowsOf(row);
}

void Ledger::Put(int64_t folder, const MessageRow& row) {
  database_.Use("INSERT OR REPLACE INTO messages VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(folder).Bind(row.uid).Bind(static_cast<int64_t>(row.state)).Bind(static_cast<int64_t>(row.bytes)).Bind(row.date.unix_seconds)
      .Bind(row.date.zone_minutes).Bind(TextOf(row.flags)).Bind(row.sha256).Bind(row.target_uid).Bind(row.own ? 1 : 0).Bind(row.note).Run();
}

std::vector<uint32_t> Ledger::KnownTargets(int64_t folder, uint32_t first, uint32_t last) const {
  std::vector<uint32_t> uids;
  Statement row = database_.Use(
      "SELECT target_uid FROM messages WHERE folder = ?1 AND target_uid != 0 AND target_uid BETWEEN ?2 AND ?3"
      " UNION ALL SELECT uid FROM found WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY 1");
  row.Bind(folder).Bind(first).Bind(last);
  while (row.Step()) uids.push_back(static_cast<uint32_t>(row.Int(0)));
  return uids;
}

std::vector<MessageRow> Ledger::RowsAt(int64_t folder, uint32_t first, uint32_t last) const {
  Statement row = database_.Use("SELECT " REPRISE_MAIL_ROW " FROM messages WHERE folder = ? AND target_uid != 0 AND target_uid BETWEEN ? AND ? ORDER BY target_uid");
  row.Bind(folder).Bind(first).Bind(last);
  return RowsOf(row);
}

void Ledger::Misplaced(int64_t folder, const MessageRow& row) {
  MessageRow again = row;
  // Of one that vanished in the source meanwhile nothing is looked for.
  if (row.state != MessageState::kVanished) again.state = MessageState::kIntended;
  again.target_uid = 0, again.own = false;
  Put(folder, again);
}

std::optional<uint32_t> Ledger::RowOfTarget(int64_t folder, uint32_t target_uid) const {
  Statement row = database_.Use("SELECT uid FROM messages WHERE folder = ? AND target_uid != 0 AND target_uid = ?");
  row.Bind(folder).Bind(target_uid);
  if (!row.Step()) return std::nullopt;
  const auto uid = static_cast<uint32_t>(row.Int(0));
  row.Run();
  return uid;
}

void Ledger::TargetLost(int64_t folder, uint32_t target_uid) {
  // One that vanished in the source is not copied again.
  database_.Use("UPDATE messages SET state = CASE state WHEN 6 THEN 6 ELSE 0 END, target_uid = 0, own = 0 WHERE folder = ? AND target_uid != 0 AND target_uid = ?")
      .Bind(folder).Bind(target_uid).Run();
  ForgetFound(folder, target_uid);
}

uint64_t Ledger::KnownTargetCount(int64_t folder) const {
  Statement count = database_.Use(
      "SELECT (SELECT count(*) FROM messages WHERE folder = ?1 AND target_uid != 0) + (SELECT count(*) FROM found WHERE folder = ?1)");
  count.Bind(folder).Step();
  const auto many = static_cast<uint64_t>(count.Int(0));
  count.Run();
  return many;
}

bool Ledger::HasFound(int64_t folder) const {
  Statement row = database_.Use("SELECT 1 FROM found WHERE folder = ? LIMIT 1");
  const bool any = row.Bind(folder).Step();
  if (any) row.Run();
  return any;
}

void Ledger::AddFound(int64_t folder, const FoundRow& found) {
  database_.Use("INSERT OR REPLACE INTO found VALUES(?, ?, ?, ?, ?, ?, ?)")
      .Bind(folder).Bind(found.message.uid).Bind(static_cast<int64_t>(found.message.bytes)).Bind(found.message.date.unix_seconds)
      .Bind(found.message.date.zone_minutes).Bind(found.message.sha256).Bind(found.own ? 1 : 0).Run();
}

std::vector<FoundRow> Ledger::Found(int64_t folder, uint64_t bytes, int64_t unix_seconds) const {
  std::vector<FoundRow> found;
  Statement row = database_.Use("SELECT uid, bytes, date, zone, sha256, own FROM found WHERE folder = ? AND bytes = ? AND date = ? ORDER BY uid");
  row.Bind(folder).Bind(static_cast<int64_t>(bytes)).Bind(unix_seconds);
  while (row.Step()) found.push_back(FoundOf(row));
  return found;
}

std::vector<FoundRow> Ledger::FoundOwn(int64_t folder, uint64_t bytes) const {
  std::vector<FoundRow> found;
  Statement row = database_.Use("SELECT uid, bytes, date, zone, sha256, own FROM found WHERE folder = ? AND bytes = ? AND own != 0 ORDER BY uid");
  row.Bind(folder).Bind(static_cast<int64_t>(bytes));
  while (row.Step()) found.push_back(FoundOf(row));
  return found;
}

std::vector<FoundRow> Ledger::FoundBetween(int64_t folder, uint32_t first, uint32_t last) const {
  std::vector<FoundRow> found;
  Statement row = database_.Use("SELECT uid, bytes, date, zone, sha256, own FROM found WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid");
  row.Bind(folder).Bind(first).Bind(last);
  while (row.Step()) found.push_back(FoundOf(row));
  return found;
}

void Ledger::SetFoundHash(int64_t folder, uint32_t uid, const std::string& sha256) {
  database_.Use("UPDATE found SET sha256 = ? WHERE folder = ? AND uid = ?").Bind(sha256).Bind(folder).Bind(uid).Run();
}

void Ledger::ForgetFound(int64_t folder, uint32_t uid) {
  database_.Use("DELETE FROM found WHERE folder = ? AND uid = ?").Bind(folder).Bind(uid).Run();
}

void Ledger::SourceRenumbered(const FolderRow& folder) {
  database_.Use("INSERT OR REPLACE INTO found SELECT folder, target_uid, bytes, date, zone, sha256, 0 FROM messages WHERE folder = ? AND target_uid != 0")
      .Bind(folder.id).Run();
  database_.Use("DELETE FROM messages WHERE folder = ?").Bind(folder.id).Run();
}

void Ledger::TargetRenumbered(const FolderRow& folder) {
  database_.Use("UPDATE messages SET state = CASE state WHEN 6 THEN 6 ELSE 1 END, target_uid = 0, own = 0 WHERE folder = ? AND target_uid != 0")
      .Bind(folder.id).Run();
  database_.Use("DELETE FROM found WHERE folder = ?").Bind(folder.id).Run();
}

void Ledger::MarkVerified() { database_.Use("UPDATE messages SET state = 3 WHERE state = 2").Run(); }

std::array<Ledger::Tally, kMessageStates.size()> Ledger::Tallies() const {
  std::array<Tally, kMessageStates.size()> tallies;
  Statement row = database_.Use("SELECT state, count(*), sum(bytes) FROM messages GROUP BY state");
  while (row.Step()) {
    const auto state = static_cast<size_t>(row.Int(0));
    if (state < tallies.size()) tallies[state] = {static_cast<uint64_t>(row.Int(1)), static_cast<uint64_t>(row.Int(2))};
  }
  return tallies;
}

std::map<std::string, uint64_t> Ledger::Notes(MessageState state) const {
  std::map<std::string, uint64_t> notes;
  Statement row = database_.Use("SELECT note, count(*) FROM messages WHERE state = ? GROUP BY note");
  row.Bind(static_cast<int64_t>(state));
  while (row.Step()) notes[row.Text(0)] = static_cast<uint64_t>(row.Int(1));
  return notes;
}

}  // namespace reprise::mail
