#include "core/engine/proofs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/restoring.h"

namespace reprise::engine {
namespace {

using journal::v1::ClaimRecord;
using journal::v1::HostRecord;
using journal::v1::RecoveryPointRecord;

// Empty: it holds, and is young enough.
std::string WhyUnmet(const plan::v1::Requirement& requirement, const HostRecord* host, UnixMs now) {
  const std::string what = absl::StrCat(requirement.claim(), " of ", requirement.host());
  if (host == nullptr) return absl::StrCat(what, ": the host is not known");
  if (!host->has_statement()) return absl::StrCat(what, ": nobody has admitted the host, and nothing that it says counts");
  const auto claim = std::find_if(host->claims().begin(), host->claims().end(),
                                  [&](const ClaimRecord& each) { return each.name() == requirement.claim(); });
  if (claim == host->claims().end()) return absl::StrCat(what, ": never proven");
  if (claim->state() != model::v1::CLAIM_STATE_HOLDS) {
    return absl::StrCat(what, ": ", model::NameOf(claim->state()), " at ", FormatTime(claim->at_ms()),
                        claim->detail().empty() ? "" : ", ", claim->detail());
  }
  const bool young = claim->at_ms() + requirement.within_ms() >= now || REPRISE_PLANTED(kProofNeverAges);
  return young ? ""
               : absl::StrCat(what, ": last proven at ", FormatTime(claim->at_ms()), ", and no proof may be older than ",
                              FormatDurationMs(requirement.within_ms()));
}

}  // namespace

std::vector<std::string> UnmetRequirements(const plan::v1::Stage& stage, const std::vector<const HostRecord*>& hosts,
                                           UnixMs now) {
  std::vector<std::string> unmet;
  for (int i = 0; i < stage.requirements_size(); ++i) {
    std::string why = WhyUnmet(stage.requirements(i), hosts[static_cast<size_t>(i)], now);
    if (!why.empty()) unmet.push_back(std::move(why));
  }
  return unmet;
}

std::vector<const HostRecord*> RequiredHosts(const Book& book, const plan::v1::Stage& stage) {
  std::vector<const HostRecord*> hosts;
  for (const auto& requirement : stage.requirements()) {
    const HostBook* host = book.FindHost(requirement.host());
    hosts.push_back(host == nullptr ? nullptr : host->record);
  }
  return hosts;
}

bool RequirementsHold(const Book& book, const plan::v1::Stage& stage, UnixMs now) {
  if (stage.requirements().empty()) return true;
  return UnmetRequirements(stage, RequiredHosts(book, stage), now).empty();
}

const RecoveryPointRecord* FindRecoveryPoint(const journal::v1::State& state, const std::string& host,
                                             const std::string& set, const std::string& point) {
  for (const RecoveryPointRecord& record : state.recovery_points()) {
    if (record.verdict().point() == point && record.verdict().set() == set && record.host() == host) return &record;
  }
  return nullptr;
}

std::string WhyNotRestore(const Book& book, const RunBook& run, const plan::v1::Step& step, UnixMs now) {
  if (!step.has_recovery_point()) return "";
  const plan::v1::RecoveryPoint& point = step.recovery_point();
  const std::string copy = absl::StrCat("the copy ", point.set(), "/", point.point());
  const RecoveryPointRecord* newest = FindRecoveryPoint(book.state(), point.judged_by(), point.set(), point.point());
  if (newest == nullptr) {
    return absl::StrCat("the plan says that ", point.judged_by(), " judged ", copy, "; nothing is known here of that");
  }
  const agent::v1::Verdict& verdict = newest->verdict();
  const bool as_planned = verdict.verdict() == point.verdict() && verdict.manifest_sha256() == point.manifest_sha256();
  if (!as_planned && !REPRISE_PLANTED(kOldJudgementServes)) {
    return absl::StrCat(copy, " was judged anew at ", FormatTime(newest->at_ms()), ": ", model::WordOf(verdict.verdict()),
                        verdict.manifest_sha256() == point.manifest_sha256() ? "" : ", of other content",
                        "; the plan says ", model::WordOf(point.verdict()), ". Make a new plan");
  }
  const auto& signers = run.plan_record->signers();
  const absl::Status allowed = model::CheckRestore(*book.keyring(), point, run.plan->statement.requester,
                                                   {signers.begin(), signers.end()}, now);
  return std::string(allowed.message());
}

}  // namespace reprise::engine
