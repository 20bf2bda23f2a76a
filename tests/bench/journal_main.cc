// bench-journal grow | open | scan: makes a long journal, opens it as a starting coordinator does, or only reads its
// rows. Each says what it did as one JSON object.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/status_macros.h"
#include "core/coordinator/loop.h"
#include "core/journal/sqlite_journal.h"
#include "core/sqlite/database.h"
#include "tests/bench/grown_journal.h"

namespace {

using namespace reprise;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

absl::StatusOr<json> Grow(const bench::GrowOptions& options) {
  ASSIGN_OR_RETURN(const bench::Grown grown, bench::GrowJournal(options));
  return json{{"events", grown.events},
              {"runs", grown.runs},
              {"snapshot_bytes", grown.snapshot_bytes},
              {"engine_s", grown.engine_seconds},
              {"seconds", grown.seconds}};
}

// The very code of the coordinator, up to where it would begin to listen.
absl::StatusOr<json> Open(const std::filesystem::path& path) {
  const auto began = Clock::now();
  ASSIGN_OR_RETURN(auto journal, journal::SqliteJournal::Open(path));
  ASSIGN_OR_RETURN(const auto loop, coordinator::Loop::Open(std::move(journal), SystemClock(), {}));
  return json{{"seconds", Since(began)}, {"events", loop->LastSequence()}};
}

absl::StatusOr<json> Scan(const std::filesystem::path& path) {
  const auto began = Clock::now();
  ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path, sqlite::Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(auto rows, database.Prepare("SELECT payload, hash FROM event ORDER BY sequence"));
  uint64_t count = 0, bytes = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) break;
    count += 1;
    bytes += rows.Blob(0).size() + rows.Blob(1).size();
  }
  return json{{"seconds", Since(began)}, {"events", count}, {"bytes", bytes}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A long journal, and how fast it is read again");
  app.require_subcommand(1);
  bench::GrowOptions options;
  CLI::App* grow = app.add_subcommand("grow", "makes a journal with the real engine");
  grow->add_option("--events", options.events);
  grow->add_option("--hosts", options.hosts);
  grow->add_option("--steps", options.steps);
  grow->add_option("--after-snapshot", options.after_snapshot, "events that come after its last snapshot");
  CLI::App* open = app.add_subcommand("open", "reads it into an engine, as a starting coordinator does");
  CLI::App* scan = app.add_subcommand("scan", "only reads its rows: the raw limit");
  for (CLI::App* each : {grow, open, scan}) each->add_option("--journal", options.journal)->required();
  CLI11_PARSE(app, argc, argv);

  const auto said = *grow ? Grow(options) : *open ? Open(options.journal) : Scan(options.journal);
  if (!said.ok()) {
    std::cerr << "bench-journal: " << said.status().message() << '\n';
    return 1;
  }
  std::cout << said->dump() << '\n';
  return 0;
}
