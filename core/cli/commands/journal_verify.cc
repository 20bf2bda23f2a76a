#include <algorithm>
#include <memory>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/journal_file.h"
#include "core/cli/progress_bar.h"
#include "core/cli/table.h"
#include "core/journal/journal_reader.h"
#include "core/journal/verify.h"

namespace reprise::cli {
namespace {

struct JournalVerifyFlags {
  std::string file;
  std::string expect_head;
  bool quick = false;
};

// Copied from paper: groups and capital letters are no difference.
absl::StatusOr<std::string> HeadFromPaper(const std::string& text) {
  std::string hex;
  for (const char c : text) {
    if (c != ' ' && c != '-' && c != ':') hex += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  if (hex.size() != 64 || !FromHex(hex).ok()) {
    return UsageError(
        absl::StrCat("--expect-head: expected 64 hexadecimal digits, got ", hex.size(), " characters: ", text));
  }
  return hex;
}

// Which event had this hash. 0: none.
absl::StatusOr<uint64_t> FindHead(const std::filesystem::path& file, const std::string& head) {
  ASSIGN_OR_RETURN(auto reader, journal::JournalReader::Open(file));
  ASSIGN_OR_RETURN(const std::string wanted, FromHex(head));
  uint64_t found = 0;
  const absl::Status read = reader.Read(1, [&](const journal::Record& record) {
    if (record.hash != wanted) return absl::OkStatus();
    found = record.sequence;
    return absl::CancelledError();
  });
  if (!read.ok() && !absl::IsCancelled(read)) return read;
  return found;
}

Json JsonOf(const journal::VerifyReport& report, const std::string& expected, uint64_t expected_at) {
  Json faults = Json::array();
  for (const journal::Fault& fault : report.faults) {
    faults.push_back({{"sequence", fault.sequence}, {"what", fault.what}});
  }
  return {{"ok", report.ok()},           {"events", report.events},
          {"head", report.head},         {"first_ms", report.first},
          {"last_ms", report.last},      {"snapshots", report.snapshots},
          {"refolded", report.refolded}, {"state_sha256", report.state_sha256},
          {"expected_head", expected},   {"expected_head_sequence", expected_at},
          {"faults", std::move(faults)}};
}

void Print(Context& context, const journal::VerifyReport& report) {
  Table table({"verdict", report.ok() ? "whole: every event stands as it was written" : "ALTERED OR DAMAGED"});
  table.Add({"events", absl::StrCat(report.events)});
  if (report.events > 0) table.Add({"from", FormatTime(report.first)});
  if (report.events > 0) table.Add({"to", FormatTime(report.last)});
  table.Add({"head", report.head});
  table.Add({"history", report.refolded ? absl::StrCat("legal, state ", report.state_sha256)
                                        : "not looked at (--quick): only that it is unbroken"});
  if (report.refolded) table.Add({"snapshots", absl::StrCat(report.snapshots, " compared")});
  table.Print(context.terminal, context.cut());
  if (report.ok()) return;
  const journal::Fault& first = report.faults.front();
  context.Say("");
  context.Say(context.terminal.Paint(
      absl::StrCat(
          "First bad record: ", first.sequence == 0 ? "the file as a whole" : absl::StrCat("event ", first.sequence),
          ": ", first.what),
      Color::kBad));
  for (size_t i = 1; i < report.faults.size(); ++i) {
    context.Say(absl::StrCat("  event ", report.faults[i].sequence, ": ", report.faults[i].what));
  }
  if (report.faults.size() == journal::kFaultsMax) context.Say("  … and perhaps more");
  if (first.sequence > 0) context.Say("What stands before it can be believed.");
  context.Say("Keep the file as evidence, and work from a copy.");
}

absl::StatusOr<int> Verify(Context& context, const JournalVerifyFlags& flags) {
  std::string expected;
  if (!flags.expect_head.empty()) {
    ASSIGN_OR_RETURN(expected, HeadFromPaper(flags.expect_head));
  }
  const std::filesystem::path file = JournalFile(flags.file);
  std::unique_ptr<ProgressBar> bar;
  journal::VerifyOptions options;
  options.refold = !flags.quick;
  options.progress = [&](uint64_t done, uint64_t all) {
    if (bar == nullptr) {
      bar = std::make_unique<ProgressBar>(context.terminal, "events", all, Unit::kCount, context.clock.Now());
    }
    bar->Show(done, context.clock.Now());
  };
  auto report = journal::VerifyJournal(file, options);
  bar.reset();
  RETURN_IF_ERROR(report.status());
  uint64_t expected_at = 0;
  if (!expected.empty()) {
    ASSIGN_OR_RETURN(expected_at, FindHead(file, expected));
    if (expected_at == 0) {
      report->faults.push_back({0, absl::StrCat("no event has the hash from paper, ", expected,
                                                ": the end was cut off, or all since then was written anew")});
    }
  }
  if (context.json()) {
    context.PrintJson(JsonOf(*report, expected, expected_at));
    return report->ok() ? kExitOk : kExitFailure;
  }
  Print(context, *report);
  if (expected_at > 0) {
    context.Say(absl::StrCat("The hash from paper is that of event ", expected_at,
                             expected_at == report->events
                                 ? ", the last."
                                 : absl::StrCat("; ", report->events - expected_at, " came after it.")));
  } else if (expected.empty()) {
    context.Note("Whether its end was cut off, only a hash on paper can say: --expect-head");
  }
  return report->ok() ? kExitOk : kExitFailure;
}

}  // namespace

Action DeclareJournalVerify(CommandLine& app) {
  auto flags = std::make_shared<JournalVerifyFlags>();
  app.Option("FILE", flags->file, "journal.db, or the data folder with it").Required();
  app.Option("--expect-head", flags->expect_head, "A head hash that was written on paper, at any time")
      .TypeName("HASH");
  app.Flag("--quick", flags->quick, "Only the chain of hashes, not whether the history is legal");
  app.Footer(
      "Examples:\n"
      "  reprise journal verify /var/lib/reprise\n"
      "  reprise journal verify copy-of/journal.db --expect-head '9b1c 04d2 …'\n"
      "Exit code 1: something was altered, or is not as paper says. Needs no coordinator and no key; a running\n"
      "coordinator's file may be verified.");
  return [flags](Context& context) { return Verify(context, *flags); };
}

}  // namespace reprise::cli
