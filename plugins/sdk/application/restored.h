// What is restored on this host, as the bases themselves say. A base that this adapter restored carries a mark: a comment
// on it that was written in the same transaction that gave it its final name, after it was proven. A base without a mark
// is not ours; one named <base>_restoring is half of one and is never offered to anybody.
#pragma once

#include <optional>
#include <string>

#include "plugins/sdk/application/dump_text.h"
#include "plugins/sdk/application/postgres.h"

namespace reprise::sdk::application {

struct Mark {
  std::string manifest_sha256;
  std::string fingerprint;  // Of all rows, at the moment of the restore.
  uint64_t rows = 0, tables = 0;
};

enum class BaseState { kUnknown, kMissing, kForeign, kRestored };

struct BaseFound {
  BaseState state = BaseState::kUnknown;
  Mark mark;           // kRestored.
  std::string why;     // kUnknown, kForeign.
};

inline std::string RestoringName(const Module& module) { return module.base + "_restoring"; }
// The one that was replaced last: kept, so that replacing can be undone; nobody but its owner is let into it.
inline Module Former(Module module) {
  module.base += "_before";
  return module;
}

inline BaseFound LookAtBase(const Context& context, const Postgres& postgres, const Module& module) {
  if (!postgres.IsMade()) return {BaseState::kMissing, {}, "there is no cluster"};
  const RunResult result = postgres.Query(
      "postgres", "postgres",
      "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = " + SqlText(module.base));
  context.ThrowIfCancelled();
  if (!result.ok()) return {BaseState::kUnknown, {}, "the cluster does not answer: " + FirstComplaint(result.err)};
  if (result.out.empty()) return {BaseState::kMissing, {}, ""};
  const Json mark = Json::parse(result.out, nullptr, false);
  if (!mark.is_object() || mark.value("by", Json()) != "reprise" || !mark.value("manifest_sha256", Json()).is_string() ||
      !mark.value("rows", Json()).is_number_unsigned() || !mark.value("tables", Json()).is_number_unsigned() ||
      !mark.value("fingerprint", Json()).is_string()) {
    return {BaseState::kForeign, {}, "base " + module.base + " has no mark of this adapter"};
  }
  return {BaseState::kRestored, {mark["manifest_sha256"], mark["fingerprint"], mark["rows"], mark["tables"]}, ""};
}

// Gives the proven base its name and its mark: both or neither. `replaces`: the base of that name is kept as the former
// one, in the same transaction.
inline void Promote(const Postgres& postgres, const Module& module, const Mark& mark, bool replaces) {
  const std::string text = Json{{"by", "reprise"},
                                {"manifest_sha256", mark.manifest_sha256},
                                {"fingerprint", mark.fingerprint},
                                {"rows", mark.rows},
                                {"tables", mark.tables}}
                               .dump();
  const std::string aside =
      replaces ? "ALTER DATABASE " + SqlName(module.base) + " RENAME TO " + SqlName(Former(module).base) + "; " : "";
  postgres.Do(aside + "COMMENT ON DATABASE " + SqlName(RestoringName(module)) + " IS " + SqlText(text) + "; ALTER DATABASE " +
                  SqlName(RestoringName(module)) + " RENAME TO " + SqlName(module.base),
              "give the restored base its name " + module.base);
}

inline bool BaseExists(const Postgres& postgres, const std::string& base) {
  return postgres.Ask("postgres", "postgres", "SELECT 1 FROM pg_database WHERE datname = " + SqlText(base),
                      "look for base " + base) == "1";
}

inline void DropBase(const Postgres& postgres, const std::string& base) {
  postgres.Do("DROP DATABASE IF EXISTS " + SqlName(base) + " WITH (FORCE)", "throw the base " + base + " away");
}

// Compares every row of the base with what the dump carries. Returns what differs, empty if nothing does.
inline std::string WhyNotAlike(const Context& context, const Postgres& postgres, const std::string& base,
                               const std::string& role, const DumpContent& wanted) {
  std::string listed;
  for (const auto& [table, rows] : wanted.tables) {
    context.ThrowIfCancelled();
    RowSet found;
    LineCutter cutter;
    const RunResult result = RunStreaming(
        context,
        postgres.Client("psql", base, role, {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "COPY " + table + " TO STDOUT"}),
        postgres.ClientOptions(Postgres::kReading),
        {-1, [&](std::string_view piece) { cutter.Feed(piece, [&](std::string_view line) { found.Add(line); }); }});
    if (!result.ok() || result.truncated || !cutter.rest().empty()) {
      ThrowClient(result, "read " + table + " of base " + base, "restore_differs");
    }
    const std::string name = table.substr(0, table.find(" ("));
    if (found.rows != rows.rows) {
      return name + " has " + std::to_string(found.rows) + " rows, the dump " + std::to_string(rows.rows);
    }
    if (found != rows) return name + " has as many rows as the dump, but others";
    listed += (listed.empty() ? "" : ", ") + SqlText(name) + "::regclass";
  }
  // Rows that the comparison has not seen, such as those of a dump made with --inserts, are not proven.
  const std::string tables = postgres.AskReading(
      base, role,
      "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND "
      "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'" +
          (listed.empty() ? "" : " AND c.oid NOT IN (" + listed + ")"),
      "list the tables of base " + base);
  for (size_t begin = 0; begin < tables.size();) {
    const size_t end = std::min(tables.find('\n', begin), tables.size());
    const std::string table = tables.substr(begin, end - begin);
    if (postgres.AskReading(base, role, "SELECT EXISTS (SELECT 1 FROM " + table + ")", "look into " + table) != "f") {
      return table + " has rows that the dump does not carry as COPY";
    }
    begin = end + 1;
  }
  const std::string constraints = postgres.AskReading(
      base, role,
      "SELECT count(*) FILTER (WHERE NOT convalidated), count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = "
      "c.connamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')",
      "count the constraints of base " + base);
  const size_t tab = constraints.find('\t');
  if (constraints.substr(0, tab) != "0") return constraints.substr(0, tab) + " constraints are not valid";
  if (tab == std::string::npos || std::stoull(constraints.substr(tab + 1)) < wanted.constraints) {
    return "fewer constraints than the dump's " + std::to_string(wanted.constraints);
  }
  const std::string invalid = postgres.AskReading(base, role, "SELECT count(*) FROM pg_index WHERE NOT indisvalid", "look at indexes");
  return invalid == "0" ? "" : invalid + " indexes are not valid";
}

}  // namespace reprise::sdk::application
