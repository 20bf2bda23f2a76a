// `reprise backup judge`: judges backups beside which it runs. Asks no coordinator; what it reads it does not change.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/progress_bar.h"
#include "core/cli/table.h"
#include "plugins/backup/worker/recovery_point.h"

namespace reprise::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kEvidenceShown = 8;
constexpr size_t kExpectedMax = size_t{1} << 30;

struct BackupJudgeFlags {
  std::vector<std::string> paths;
  uint32_t jobs = 0;
  std::string resume;
  std::string expected;
  bool manifest = false;
  std::string write_manifest;
};

fs::path JudgeProgram() {
  if (const char* chosen = std::getenv("REPRISE_BACKUP_JUDGE"); chosen != nullptr && *chosen != '\0') return chosen;
  std::error_code error;
  const auto self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("reprise-backup-judge") : self.parent_path() / "reprise-backup-judge";
}

Color ColorOf(backup::Verdict verdict) {
  if (verdict == backup::Verdict::kIntact) return Color::kGood;
  if (backup::IsSound(verdict)) return Color::kGood;
  const bool unknown = verdict == backup::Verdict::kUnreadable || verdict == backup::Verdict::kNotEvaluated;
  return unknown ? Color::kWarning : Color::kBad;
}

Json JsonOf(const backup::Judgement& judgement) {
  Json evidence = Json::array();
  for (const backup::Finding& finding : judgement.evidence) {
    evidence.push_back({{"sign", backup::NameOf(finding.sign)},
                        {"file", finding.file},
                        {"offset", finding.offset},
                        {"expected", finding.expected},
                        {"found", finding.found}});
  }
  // A good verdict needs evidence too.
  if (backup::IsSound(judgement.verdict)) {
    evidence.push_back({{"sign", "sound"},
                        {"file", judgement.path},
                        {"offset", 0},
                        {"expected", "every file decoded to its end"},
                        {"found", judgement.basis}});
  }
  return {{"path", judgement.path},
          {"verdict", backup::NameOf(judgement.verdict)},
          {"sound", backup::IsSound(judgement.verdict)},
          {"coverage", judgement.Coverage()},
          {"checked", judgement.Checked()},
          {"complete", judgement.facts.complete},
          {"files", judgement.facts.files},
          {"bytes", judgement.facts.extent.bytes},
          {"formats", judgement.formats},
          {"basis", judgement.basis},
          {"evidence", std::move(evidence)},
          {"evidence_left_out", judgement.evidence_left_out},
          {"missing", judgement.missing},
          {"newest_unix_ms", judgement.newest_unix_ms},
          {"resumed", judgement.resumed},
          {"manifest_sha256", judgement.manifest_sha256}};
}

std::string Percent(double share) {
  return absl::StrCat(static_cast<int>(share * 100), " %");
}

// "pg_dump 2, text 1"
std::string FormatsText(const backup::Judgement& judgement) {
  return absl::StrJoin(judgement.formats, ", ", [](std::string* out, const auto& format) {
    absl::StrAppend(out, format.first.empty() ? "unknown" : format.first, " ", format.second);
  });
}

void Print(Context& context, const backup::Judgement& judgement) {
  context.Say(absl::StrCat(context.terminal.Paint(backup::NameOf(judgement.verdict), ColorOf(judgement.verdict)), "  ",
                           OneLine(judgement.path)));
  context.Say(absl::StrCat("  ", OneLine(judgement.basis)));
  if (judgement.newest_unix_ms > 0) context.Say(absl::StrCat("  newest file: ", FormatTime(judgement.newest_unix_ms)));
  if (!judgement.formats.empty()) context.Say(absl::StrCat("  formats, by files: ", OneLine(FormatsText(judgement))));
  if (!judgement.manifest_sha256.empty()) context.Say(absl::StrCat("  manifest ", judgement.manifest_sha256));
  const size_t most = context.cut() ? kEvidenceShown : judgement.evidence.size();
  for (size_t i = 0; i < std::min(most, judgement.evidence.size()); ++i) {
    const backup::Finding& finding = judgement.evidence[i];
    context.Say(absl::StrCat("  ", backup::NameOf(finding.sign), ": ", OneLine(finding.file), " at ", finding.offset,
                             ": expected ", OneLine(finding.expected), "; found ", OneLine(finding.found)));
  }
  const uint64_t more =
      judgement.evidence.size() - std::min(most, judgement.evidence.size()) + judgement.evidence_left_out;
  if (more > 0) context.Say(absl::StrCat("  … and ", more, " more findings (-o json has them)"));
}

void Summarise(Context& context, const std::vector<backup::Judgement>& judgements) {
  if (judgements.size() < 2) return;
  context.Say("");
  Table table({"VERDICT", "DECODED", "CHECKED", "SIZE", "RECOVERY POINT"});
  for (const backup::Judgement& judgement : judgements) {
    table.Add({{backup::NameOf(judgement.verdict), ColorOf(judgement.verdict)},
               Percent(judgement.Coverage()),
               Percent(judgement.Checked()),
               ByteText(judgement.facts.extent.bytes),
               OneLine(judgement.path)});
  }
  table.Print(context.terminal, context.cut());
}

// What is not there was mistyped: no verdict is about it. What is there and cannot be read is judged, and the verdict says so.
absl::Status CheckPaths(const BackupJudgeFlags& flags) {
  for (const std::string& path : flags.paths) {
    std::error_code error;
    if (fs::symlink_status(path, error).type() == fs::file_type::not_found) {
      return UsageError(absl::StrCat(path, ": there is no such file or folder; nothing was judged"));
    }
  }
  if (flags.write_manifest.empty()) return absl::OkStatus();
  if (flags.paths.size() != 1) return UsageError("--write-manifest: a manifest is of one recovery point, and several are given");
  // A recovery point is only read; and a list in it would be a part of what it lists.
  std::error_code error;
  const fs::path way = fs::weakly_canonical(flags.write_manifest, error).lexically_relative(fs::weakly_canonical(flags.paths[0], error));
  if (!way.empty() && *way.begin() != "..") {
    return UsageError(absl::StrCat("--write-manifest: ", flags.write_manifest, " lies in ", flags.paths[0],
                                   ", which is only read; name a file elsewhere"));
  }
  return absl::OkStatus();
}

// Said at once: the judges that ask for the password would only find that there is none.
void WarnOfPasswordFile(Context& context) {
  const char* password = std::getenv("RESTIC_PASSWORD");
  const char* file = std::getenv("RESTIC_PASSWORD_FILE");
  if ((password != nullptr && *password != '\0') || file == nullptr || *file == '\0') return;
  if (access(file, R_OK) == 0) return;
  const std::string why = std::error_code(errno, std::generic_category()).message();
  context.Note(absl::StrCat("cannot read ", file, ": ", why,
                            ". RESTIC_PASSWORD_FILE names it; without its password a restic repository is UNREADABLE"));
}

absl::StatusOr<int> WriteManifest(Context& context, const std::string& file, const backup::Judgement& judgement) {
  if (judgement.manifest_sha256.empty()) {
    context.Note("no manifest was written: not every file could be read");
    return kExitPartial;
  }
  std::string text;
  for (const sdk::ManifestFile& each : judgement.manifest) text += sdk::ManifestLine(each);
  RETURN_IF_ERROR(WriteFileDurably(file, text));
  context.Note(absl::StrCat("the manifest of ", judgement.manifest.size(), " file(s) is written to ", file,
                            "; later: reprise backup judge --expected ", file, " ", judgement.path));
  return kExitOk;
}

absl::StatusOr<int> Judge(Context& context, const BackupJudgeFlags& flags) {
  RETURN_IF_ERROR(CheckPaths(flags));
  WarnOfPasswordFile(context);
  backup::PoolOptions options;
  options.program = JudgeProgram().string();
  options.children = flags.jobs > 0 ? flags.jobs : std::max(1U, std::thread::hardware_concurrency());
  std::error_code missing;
  if (!fs::exists(options.program, missing)) {
    return absl::NotFoundError(absl::StrCat(options.program, " is not there; set REPRISE_BACKUP_JUDGE"));
  }
  backup::Pool pool(options);
  backup::JudgeOptions wanted;
  wanted.manifest = flags.manifest || !flags.write_manifest.empty();
  sdk::Manifest expected;
  std::unique_ptr<backup::Resume> resume;
  try {
    if (!flags.expected.empty()) {
      expected = sdk::ParseManifest(sdk::ReadFile(flags.expected, kExpectedMax));
      wanted.expected = &expected;
    }
    if (!flags.resume.empty()) {
      resume = std::make_unique<backup::Resume>(flags.resume, options.program,
                                                [&](const std::string& word) { context.Note(word); });
      wanted.resume = resume.get();
    }
  } catch (const sdk::Error& problem) {
    return absl::InvalidArgumentError(absl::StrCat(flags.expected, ": ", problem.what()));
  } catch (const std::system_error& problem) {
    return absl::InvalidArgumentError(problem.what());
  }
  std::vector<backup::Judgement> judgements;
  bool all_sound = true;
  std::unique_ptr<ProgressBar> bar;
  uint64_t read = 0;
  backup::Steps steps;
  steps.begin = [&](const std::string& path, uint64_t bytes) {
    read = 0;
    bar = std::make_unique<ProgressBar>(context.terminal, fs::path(path).filename().string(), bytes, Unit::kBytes,
                                        context.clock.Now());
  };
  steps.read = [&](uint64_t bytes) {
    read += bytes;
    if (bar) bar->Show(read, context.clock.Now());
  };
  for (const std::string& path : flags.paths) {
    try {
      judgements.push_back(backup::JudgeRecoveryPoint(path, pool, steps, wanted));
    } catch (const sdk::Error& problem) {
      return absl::FailedPreconditionError(absl::StrCat(problem.what(), "; ", problem.hint()));
    } catch (const std::system_error& problem) {
      return absl::InternalError(absl::StrCat(path, ": ", problem.what()));
    }
    bar.reset();
    all_sound = all_sound && backup::IsSound(judgements.back().verdict);
    if (!context.json()) Print(context, judgements.back());
  }
  if (context.json()) {
    Json all = Json::array();
    for (const backup::Judgement& judgement : judgements) all.push_back(JsonOf(judgement));
    context.PrintJson(all);
  } else {
    Summarise(context, judgements);
  }
  if (!flags.write_manifest.empty()) {
    ASSIGN_OR_RETURN(const int written, WriteManifest(context, flags.write_manifest, judgements.front()));
    if (written != kExitOk) return written;
  }
  return all_sound ? kExitOk : kExitPartial;
}

}  // namespace

Action DeclareBackupJudge(CommandLine& app) {
  auto flags = std::make_shared<BackupJudgeFlags>();
  app.Option("PATH", flags->paths, "A recovery point: a file, or a folder with all that belongs to it").Required();
  app.Option("--jobs", flags->jobs, "Files at once; 0, the default: one for each processor").TypeName("N");
  app.Option("--resume", flags->resume, "Keep what is judged in this file, and go on from it after an interruption").TypeName("FILE");
  app.Option("--expected", flags->expected, "An earlier manifest of the recovery point (--write-manifest made it): what there must be")
      .TypeName("FILE");
  app.Option("--write-manifest", flags->write_manifest, "Write the manifest, for --expected of a later judgement").TypeName("FILE");
  app.Flag("--manifest", flags->manifest, "Also tell the SHA-256 of the manifest, which restores are bound to");
  app.Footer(
      "Examples:\n"
      "  reprise backup judge planning.dump\n"
      "  reprise backup judge --resume judged.state mounted-disk/pacs\n"
      "  reprise backup judge --write-manifest pacs-2022-08-12.manifest mounted-disk/pacs    # while it is known to be good\n"
      "  reprise backup judge --expected pacs-2022-08-12.manifest mounted-disk/pacs          # later\n"
      "  RESTIC_PASSWORD_FILE=key.txt reprise backup judge mounted-disk/restic -o json\n"
      "Reads only; needs no coordinator. INTACT: decoded to its end, every byte under a checksum, known to be "
      "complete.\n"
      "INTACT_SAMPLED: decoded to its end, but a part has no checksum, or nothing says which files there must be.\n"
      "Exit code 6: at least one recovery point is not sound; 2: a PATH is not there, and nothing was judged.");
  return [flags](Context& context) { return Judge(context, *flags); };
}

}  // namespace reprise::cli
