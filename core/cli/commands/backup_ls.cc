#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/table.h"
#include "core/model/restoring.h"

namespace reprise::cli {
namespace {

struct BackupLsFlags {
  std::string set;
};

Color ColorOf(model::v1::BackupVerdict verdict) {
  if (verdict == model::v1::BACKUP_VERDICT_INTACT) return Color::kGood;
  return model::MayEverServe(verdict) || verdict == model::v1::BACKUP_VERDICT_NOT_EVALUATED ||
                 verdict == model::v1::BACKUP_VERDICT_UNREADABLE
             ? Color::kWarning
             : Color::kBad;
}

absl::StatusOr<int> Run(Context& context, const BackupLsFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(auto list, client->Call<ops::RecoveryPointList>("ListRecoveryPoints", ops::Empty()));
  if (!flags.set.empty()) {
    auto& points = *list.mutable_points();
    points.erase(std::remove_if(points.begin(), points.end(),
                                [&](const auto& point) { return point.verdict().set() != flags.set; }),
                 points.end());
  }
  if (context.json()) {
    context.PrintJson(list);
    return kExitOk;
  }
  if (list.points().empty()) {
    context.Say("no copy was judged yet: run a workflow that uses backup.judge on the host that reads them");
    return kExitOk;
  }
  Table table({"COPY", "VERDICT", "DECODED", "TAKEN", "JUDGED", "BY", "FINDING"});
  for (const auto& point : list.points()) {
    const auto& verdict = point.verdict();
    table.Add({absl::StrCat(verdict.set(), "/", verdict.point()),
               {model::WordOf(verdict.verdict()), ColorOf(verdict.verdict())},
               absl::StrCat(static_cast<int>(verdict.coverage() * 100), " %"),
               verdict.taken_ms() == 0 ? "unknown" : FormatTime(verdict.taken_ms()), context.Ago(point.at_ms()),
               point.host(), verdict.detail()});
  }
  table.Print(context.terminal, context.cut());
  return kExitOk;
}

}  // namespace

Action DeclareBackupLs(CommandLine& app) {
  auto flags = std::make_shared<BackupLsFlags>();
  app.Option("--set", flags->set, "Only the copies of one backup set").TypeName("NAME");
  app.Footer(
      "Nothing is restored from a copy that is not INTACT; from INTACT_SAMPLED, or from one taken after the first\n"
      "compromise, only with a concession in the dossier whose decider signs the plan.\n\n"
      "Examples:\n"
      "  reprise backup ls\n"
      "  reprise backup ls --set agiletime-db -o json");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
