#include "plugins/mail/move_action.h"

#include "plugins/mail/report.h"

namespace reprise::mail {
namespace {

using sdk::Error;

sdk::Claim ClaimOf(const char* name, bool holds, std::string detail) {
  return {name, holds ? sdk::ClaimState::kHolds : sdk::ClaimState::kFails, std::move(detail)};
}

std::string Megabytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

std::string Counted(const BatchTally& tally) {
  std::string text = tally.Shown();
  const std::pair<uint64_t, const char*> counts[] = {{tally.moved.copied, "messages copied"}, {tally.moved.adopted, "found in the target"},
                                                     {tally.moved.flags, "with flags changed"}, {tally.moved.removed, "removed"},
                                                     {tally.moved.twins, "late twins removed"}, {tally.moved.held, "held"}};
  for (const auto& [many, what] : counts) {
    if (many > 0) text += ", " + std::to_string(many) + " " + what;
  }
  return text;
}

}  // namespace

sdk::ActionInfo MoveAction::Info(const char* name, const char* summary, sdk::Params params) {
  return {.name = name,
          .summary = summary,
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = true, .paths = {"/var/lib/reprise-plugins/mail", "/srv/reprise"}},
          .timeout = "24h",
          .memory_mb = 4096,
          .params = std::move(params)};
}

sdk::ProbeResult MoveAction::Probe(sdk::Context& context) {
  Site site(context);
  std::vector<BoxResult> results = site.AsKnown();
  size_t through = 0, all = 0;
  for (const BoxResult& result : results) {
    all += result.state != BoxState::kExcluded;
    through += IsThrough(result.state);
  }
  const BatchTally tally = TallyOf(results);
  bool holds = through == all;
  std::string detail = "batch " + site.batch() + ": " + tally.Shown() + NotScanned(results);
  if (holds && LooksAtTheSource()) {
    Stores stores = site.stores();
    const auto looked = site.Each("looking", [&](const Box& box, const Watch& watch) {
      BoxResult result = BoxAsKnown(site.state(), box, context.work_dir());
      if (result.state == BoxState::kCutOver) return result;
      const auto ledger = site.LedgerOf(box);
      const auto source = stores.source(box);
      if (!DifferenceOf(*source, ledger ? &*ledger : nullptr, 500, watch).none()) result.state = BoxState::kSyncing;
      return result;
    });
    size_t behind = 0;
    for (const BoxResult& result : looked) behind += result.state != BoxState::kExcluded && !IsThrough(result.state);
    holds = behind == 0;
    if (!holds) detail += "; " + std::to_string(behind) + " are behind their source";
  }
  // Only verify looks at both servers. A memory is no proof: what was proven then stands, with its age.
  std::vector<sdk::Claim> claims;
  if (!holds) claims.push_back(ClaimOf(claim(), false, detail));
  return {.holds = holds,
          .summary = detail,
          .observed = {{"boxes", all}, {"through", through}},
          .evidence = site.Lines(results),
          .claims = std::move(claims),
          .measures = site.Measures(results)};
}

sdk::PlanResult MoveAction::Plan(sdk::Context& context) {
  Site site(context);
  Stores stores = site.stores();
  std::mutex mutex;
  Difference sum;
  size_t to_do = 0, not_reached = 0;
  site.Each("comparing", [&](const Box& box, const Watch& watch) {
    BoxResult result = BoxAsKnown(site.state(), box, context.work_dir());
    if (result.state == BoxState::kCutOver) return result;
    Difference one;
    bool reached = true;
    try {
      const auto ledger = site.LedgerOf(box);
      const auto source = stores.source(box);
      one = DifferenceOf(*source, ledger ? &*ledger : nullptr, 500, watch);
    } catch (const Error& error) {
      if (error.code() == "cancelled" || error.code() == "timed_out") throw;
      reached = false;
    }
    const std::lock_guard lock(mutex);
    not_reached += !reached;
    to_do += !reached || !one.none() || !IsThrough(result.state);
    sum.to_copy += one.to_copy, sum.bytes += one.bytes, sum.flags += one.flags, sum.vanished += one.vanished, sum.there += one.there;
    return result;
  });
  if (to_do == 0) return {{}, "nothing to do"};
  std::string text = std::to_string(sum.to_copy) + " messages to copy, " + Megabytes(sum.bytes) + ", " + std::to_string(sum.flags) + " with flags changed, " +
                     std::to_string(sum.vanished) + " vanished";
  if (not_reached > 0) text += "; of " + std::to_string(not_reached) + " mailboxes nothing is known: their source does not open";
  return {{{std::to_string(to_do) + " mailboxes of batch " + site.batch(), std::to_string(sum.there) + " messages there", text}}, text};
}

sdk::ApplyResult MoveAction::Apply(sdk::Context& context) {
  Site site(context);
  Stores stores = site.stores();
  site.ScannerMustAnswer();
  const BoxOptions options = Options(site);
  const size_t failures_max = FailuresMax(context.Param("failures_max"), site.boxes().size());
  std::map<size_t, BoxState> before;
  for (const BoxResult& known : site.AsKnown()) before[known.box.line] = known.state;
  const std::vector<BoxResult> results = site.Each(doing(), [&](const Box& box, const Watch& watch) { return MoveBox(box, stores, options, watch); });
  const BatchTally tally = TallyOf(results);
  bool changed = false;
  std::vector<BoxReport> reports;
  for (const BoxResult& result : results) {
    changed = changed || result.moved.changes() > 0 || before[result.box.line] != result.state;
    std::optional<Ledger> ledger;
    try {
      ledger = site.LedgerOf(result.box);
    } catch (const Error&) {  // Another run has it: its counts are not known here.
    }
    reports.push_back(ReportOf(result, ledger ? &*ledger : nullptr));
  }
  WriteReport(site.state() / "reports", site.batch(), std::string(french()) + " / " + doing(), reports);
  const std::string summary = "batch " + site.batch() + ": " + Counted(tally) + NotScanned(results);
  if (tally.of(BoxState::kFailed) > failures_max) {
    throw Error("boxes_failed", summary + "; " + std::to_string(failures_max) + " may fail",
                "the mail lead's report on this mover names them: " + (site.state() / "reports" / (site.batch() + ".txt")).string());
  }
  return {changed, summary};
}

sdk::VerifyResult MoveAction::Verify(sdk::Context& context) {
  Site site(context);
  Stores stores = site.stores();
  const size_t failures_max = FailuresMax(context.Param("failures_max"), site.boxes().size());
  VerifyOptions look;
  look.one_in = context.Param<uint64_t>("sample");
  std::vector<BoxResult> results = site.Each("verifying", [&](const Box& box, const Watch& watch) {
    BoxResult result = BoxAsKnown(site.state(), box, context.work_dir());
    if (!IsThrough(result.state)) {
      if (result.why.empty()) result.why = std::string(NameOf(result.state));
      result.state = BoxState::kFailed;
      return result;
    }
    const auto ledger = site.LedgerOf(box);
    const auto source = stores.source(box);
    const auto target = stores.target(box);
    result.verified = VerifyBox(*source, *target, ledger ? &*ledger : nullptr, look, watch);
    if (!IsGood(*result.verified)) result.state = BoxState::kFailed, result.why = "differs";
    return result;
  });
  const BatchTally tally = TallyOf(results);
  const size_t failed = tally.of(BoxState::kFailed);
  const bool holds = failed <= failures_max && failed < std::max<size_t>(tally.all(), 1);
  const std::string detail = "batch " + site.batch() + ": " + tally.Shown() + "; " + tally.verified.Shown() + ", " + std::to_string(tally.verified.read) +
                             " read on both sides" + NotScanned(results);
  std::vector<sdk::Evidence> evidence = site.Lines(results);
  evidence.insert(evidence.begin(), {"imap", "both sides listed anew: " + detail});
  return {.holds = holds, .summary = detail, .evidence = std::move(evidence), .claims = {ClaimOf(claim(), holds, detail)}, .measures = site.Measures(results)};
}

sdk::ActionInfo Prestage::Describe() const {
  sdk::Params params = SiteParams();
  AddMoveParams(params, "10%");
  return Info("prestage", "Copy the mailboxes of a batch while people still work in them; cannot be undone, the source is not changed", std::move(params));
}

sdk::ActionInfo Delta::Describe() const {
  sdk::Params params = SiteParams();
  AddMoveParams(params, "10%");
  return Info("delta", "Bring what came, changed or vanished in a batch since it was copied; cannot be undone", std::move(params));
}

sdk::ActionInfo CutOver::Describe() const {
  sdk::Params params = SiteParams();
  AddMoveParams(params, "0");
  params.Add(sdk::Text("closing").OneOf({"acl", "read_only", "by_gate"}).Default("acl").About(
      "acl: the rights to insert and post are taken in the source; read_only: a restored copy that nobody delivers to; by_gate: people closed it, and "
      "two looks prove that nothing comes"));
  params.Add(sdk::Duration("quiet").Default("10s").About("Between the two looks"));
  params.Add(sdk::Integer("read").Range(1, 1'000'000).Default(1).About("Every so many-th message is read on both sides and its hash compared; 1: all"));
  return Info("cut_over", "Close the mailboxes of a batch to new mail, bring the last of it, prove both sides equal; cannot be undone", std::move(params));
}

BoxOptions CutOver::Options(Site& site) const {
  BoxOptions options = site.Options();
  options.cut_over = true;
  const std::string closing = site.context().Param("closing");
  options.closing = closing == "acl" ? Closing::kAcl : closing == "read_only" ? Closing::kReadOnly : Closing::kByGate;
  options.quiet = site.context().Duration("quiet");
  options.one_in = site.context().Param<uint64_t>("read");
  return options;
}

}  // namespace reprise::mail
