#include "plugins/backup/actions/judge.h"

#include "plugins/backup/actions/judging.h"
#include "plugins/backup/judge/words.h"
#include "plugins/sdk/notes.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

// For the children: each may have 1.5 GB of address space, and the verb's own limit holds for them too.
constexpr int kMemoryMb = 2048;
// What verify reads again.
constexpr size_t kAgain = 64;

// One for each set and place, so that two judges of different copies do not wait for each other.
std::string StateFile(const sdk::Context& context) {
  const std::string what = context.Param("set") + "\n" + context.Param("path");
  return (sdk::Notes("backup").folder() / ("judge-" + sdk::Sha256OfText(what).substr(0, 16) + ".state")).string();
}

// Of judge: records, if there are any.
std::string StateIfThere(const sdk::Context& context) {
  const std::string file = StateFile(context);
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) ? file : "";
}

}  // namespace

sdk::ActionInfo Judge::Describe() const {
  return {.name = "judge",
          .summary = "Judge recovery points by decoding them to their end",
          .effect = sdk::Effect::kRead,
          .undoable = false,
          .needs = {.root = true, .network = false, .paths = {}},
          .timeout = "12h",
          .memory_mb = kMemoryMb,
          .params = Judging::Parameters()};
}

sdk::ProbeResult Judge::Probe(sdk::Context& context) {
  return Judging(context, StateIfThere(context), /*writes=*/false).Run();
}

sdk::ActionInfo JudgeResumable::Describe() const {
  return {.name = "judge-resumable",
          .summary = "Judge recovery points, keeping what is done: a killed judge goes on where it was",
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = false, .paths = {"/var/lib/reprise-plugins/backup"}},
          .timeout = "24h",
          .memory_mb = kMemoryMb,
          .params = Judging::Parameters()};
}

sdk::ProbeResult JudgeResumable::Probe(sdk::Context& context) {
  const std::string state = StateIfThere(context);
  Judging judging(context, state, /*writes=*/false);
  const Ahead ahead = judging.AheadOfAll();
  if (ahead.jobs == 0) return judging.Run();
  return {.holds = false,
          .summary = Words(ahead.jobs, " files of ", ahead.bytes, " bytes are still to be judged"),
          .observed = {{"files_ahead", ahead.jobs}, {"bytes_ahead", ahead.bytes}},
          .evidence = {{"file", state.empty() ? "there are no records of an earlier judge" : state + " has the others"}}};
}

sdk::PlanResult JudgeResumable::Plan(sdk::Context& context) {
  const Ahead ahead = Judging(context, StateIfThere(context), /*writes=*/false).AheadOfAll();
  if (ahead.jobs == 0) return {{}, "nothing to do: everything has been judged"};
  return {{{StateFile(context), "no record", Words("records of ", ahead.jobs, " files of ", ahead.bytes, " bytes")}},
          "the copy itself is only read"};
}

sdk::ApplyResult JudgeResumable::Apply(sdk::Context& context) {
  sdk::Notes("backup").MakeFolder();
  Judging judging(context, StateFile(context), /*writes=*/true);
  const Ahead ahead = judging.AheadOfAll();
  if (ahead.jobs == 0) return {false, "everything has been judged"};
  return {true, judging.Run().summary};
}

sdk::VerifyResult JudgeResumable::Verify(sdk::Context& context) {
  Judging judging(context, StateIfThere(context), /*writes=*/false);
  const Ahead ahead = judging.AheadOfAll();
  sdk::ProbeResult found = judging.Run();
  const std::string differs = judging.ReadAgain(kAgain);
  found.evidence.push_back({"file", differs.empty() ? "files read again agree with what was judged" : differs});
  // What could not be read or was decided by chance has no record, and was judged again just now.
  if (ahead.jobs > 0) found.evidence.push_back({"file", Words(ahead.jobs, " files have no record and were judged twice")});
  return {.holds = found.holds && differs.empty(),
          .summary = differs.empty() ? found.summary : differs,
          .evidence = std::move(found.evidence),
          .claims = {},
          .verdicts = std::move(found.verdicts)};
}

}  // namespace reprise::backup
