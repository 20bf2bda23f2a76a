#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/report/host_facts.h"
#include "core/report/newest_try.h"
#include "core/report/views.h"

namespace reprise::report {
namespace {

using internal::NewestTry;
using journal::v1::ClaimRecord;
using journal::v1::HostRecord;
using operators::v1::CoverageGap;

const ClaimRecord* FindClaim(const HostRecord& host, const std::string& name) {
  for (const auto& claim : host.claims()) {
    if (claim.name() == name) return &claim;
  }
  return nullptr;
}

std::string SilentSince(const HostRecord& host) {
  if (host.session() != 0) return "connected";
  if (host.last_contact_ms() == 0) return "never connected";
  return absl::StrCat("silent since ", FormatTime(host.last_contact_ms()));
}

struct Cause {
  std::string code;
  std::string reason;
};

std::string StepOf(const NewestTry& newest) {
  const auto step = static_cast<int>(newest.target->step());
  return step < newest.stage->steps_size() ? newest.stage->steps(step).name() : "";
}

// Why the newest try did not bring the claim about.
Cause FromTry(const HostRecord& host, const NewestTry& newest) {
  const std::string run = absl::StrCat("run ", newest.run);
  if (newest.exclusion != nullptr) {
    return {newest.exclusion->code(), absl::StrCat("left out of ", run, ": ", newest.exclusion->reason())};
  }
  const auto& target = *newest.target;
  const std::string said =
      target.reason().empty() ? target.code()
                              : absl::StrCat(target.reason(), target.code().empty() ? "" : " (", target.code(),
                                             target.code().empty() ? "" : ")");
  switch (target.state()) {
    case model::v1::TARGET_STATE_FAILED:
    case model::v1::TARGET_STATE_ROLLED_BACK: {
      for (const auto& step : target.steps()) {
        if (step.step() == target.step() && step.last().outcome() == model::v1::OUTCOME_REFUSED) {
          return {"refused", absl::StrCat("the agent refused step ", StepOf(newest), " of ", run, ": ", said)};
        }
      }
      return {"failed", absl::StrCat("step ", StepOf(newest), " of ", run, " failed: ", said,
                                     target.state() == model::v1::TARGET_STATE_ROLLED_BACK ? "; undone" : "")};
    }
    case model::v1::TARGET_STATE_DEFERRED:
      if (host.session() == 0) return {"unreachable", absl::StrCat("not reached by ", run, ": ", SilentSince(host))};
      return {"deferred", absl::StrCat("put off by ", run, ": ", said)};
    case model::v1::TARGET_STATE_SKIPPED:
      return {"skipped", absl::StrCat("skipped by ", run, ": ", said.empty() ? "an earlier stage failed" : said)};
    case model::v1::TARGET_STATE_CANCELLED:
      return {"cancelled", absl::StrCat(run, " was aborted before it came to this host")};
    case model::v1::TARGET_STATE_EXPIRED:
      return {"expired", absl::StrCat("the plan of ", run, " expired before it came to this host; ",
                                      SilentSince(host))};
    case model::v1::TARGET_STATE_SUCCEEDED:
      return {"not_claimed", absl::StrCat(run, " ended well here, and nothing that it ran said so of this claim")};
    case model::v1::TARGET_STATE_WAITING:
      return {"waiting", absl::StrCat("its turn in ", run, " has not come", said.empty() ? "" : ": ", said)};
    default:
      return {"in_progress", absl::StrCat("at step ", StepOf(newest), " of ", run)};
  }
}

// What keeps a host from being worked on at all, in the order in which a person would clear it away.
Cause Obstacle(const HostRecord& host) {
  if (!host.declared().agent_expected() && !host.enrolled()) {
    return {"no_agent", absl::StrCat("no agent can run on this ", model::NameOf(host.asset_class()))};
  }
  if (!host.hold().empty()) return {"hold", absl::StrCat("evidence hold: ", host.hold())};
  if (host.expelled_ms() != 0) {
    return {"expelled", absl::StrCat("expelled by ", host.expelled_by(), ": ", host.expelled_reason())};
  }
  if (!host.enrolled()) return {"not_enrolled", "never joined: `reprise host token` makes its join code"};
  if (!host.has_statement()) return {"not_admitted", "in quarantine: nobody has admitted it yet"};
  if (host.zone() == model::v1::ZONE_QUARANTINE) return {"quarantine", "its zone is quarantine"};
  return {};
}

// REQUIRES: the claim does not hold, or is too old.
CoverageGap GapOf(const HostRecord& host, const ClaimRecord* claim, bool too_old, const NewestTry* newest) {
  CoverageGap gap;
  gap.set_host(host.declared().name());
  gap.set_state(claim != nullptr && !too_old ? claim->state() : model::v1::CLAIM_STATE_UNKNOWN);
  Cause cause = Obstacle(host);
  const bool tried_since = newest != nullptr && (claim == nullptr || newest->run >= claim->run());
  const Cause by_try = tried_since ? FromTry(host, *newest) : Cause{};
  const bool try_tells = by_try.code == "failed" || by_try.code == "refused" || by_try.code == "unreachable";
  if (!cause.code.empty()) {
    // As it is.
  } else if (try_tells) {
    cause = by_try;
  } else if (too_old) {
    cause = {"too_old", absl::StrCat("last proven ", FormatTime(claim->at_ms()), "; ", SilentSince(host))};
  } else if (claim != nullptr) {
    const bool fails = claim->state() == model::v1::CLAIM_STATE_FAILS;
    cause = {fails ? "claim_fails" : "claim_unknown",
             absl::StrCat(claim->detail().empty() ? (fails ? "the probe says no" : "the probe could not tell")
                                                  : claim->detail(),
                          " (", FormatTime(claim->at_ms()), ")")};
  } else if (newest != nullptr) {
    cause = by_try;
  } else {
    cause = {"not_planned", absl::StrCat("no run was ever meant for it; ", SilentSince(host))};
  }
  gap.set_code(cause.code);
  gap.set_reason(cause.reason);
  return gap;
}

CoverageGap Exemption(const HostRecord& host) {
  CoverageGap gap;
  gap.set_host(host.declared().name());
  gap.set_state(model::v1::CLAIM_STATE_UNKNOWN);
  gap.set_code("protected_class");
  gap.set_reason(absl::StrCat("nothing is ever installed on a ", model::NameOf(host.asset_class()),
                              ": the site's keyring protects this class"));
  return gap;
}

// Out of which hosts a claim is counted where nobody says: all of each class of which any host made it, in whatever state, or
// was meant by a run of its plugin. So nobody is left out because the probe never came to him; and nobody counts, a gateway for
// example, of whom it could never be said. Where no host tells what it is about, the whole inventory.
std::string SelectorOf(const std::string& claim, const engine::Engine& engine,
                       const std::unordered_map<std::string, NewestTry>& tries) {
  if (claim == kCoverageClaim) return kCoverageSelector;
  std::set<model::v1::AssetClass> classes;
  for (const auto& host : engine.state().hosts()) {
    const bool concerned = FindClaim(host, claim) != nullptr || tries.count(host.declared().name()) > 0;
    if (host.in_inventory() && concerned) classes.insert(host.asset_class());
  }
  if (classes.empty() || classes.count(model::v1::ASSET_CLASS_UNSPECIFIED) > 0) return "all";
  std::vector<std::string> names;
  for (const auto each : classes) names.push_back(model::NameOf(each));
  return absl::StrCat("class in (", absl::StrJoin(names, ", "), ")");
}

}  // namespace

absl::StatusOr<operators::v1::CoverageView> ViewOfCoverage(const engine::Engine& engine,
                                                           const operators::v1::CoverageRequest& request, UnixMs now) {
  operators::v1::CoverageView view;
  view.set_claim(request.claim().empty() ? kCoverageClaim : request.claim());
  view.set_at_ms(now);
  const auto tries = internal::NewestTries(engine, view.claim());
  view.set_selector(request.selector().empty() ? SelectorOf(view.claim(), engine, tries) : request.selector());
  ASSIGN_OR_RETURN(const plan::Selector selector, plan::Selector::Parse(view.selector()));
  const model::Keyring* keyring = engine.keyring();
  for (const auto& host : engine.state().hosts()) {
    if (!host.in_inventory()) continue;
    const bool chosen = selector.Matches(internal::FactsOf(host));
    const bool exempt = keyring != nullptr && keyring->policy().Protects(host.asset_class());
    if (exempt && (chosen || request.selector().empty())) {
      view.set_exempt(view.exempt() + 1);
      *view.add_exemptions() = Exemption(host);
      continue;
    }
    if (!chosen) continue;
    view.set_inventory(view.inventory() + 1);
    const ClaimRecord* claim = FindClaim(host, view.claim());
    const bool too_old =
        claim != nullptr && request.max_age_ms() > 0 && claim->at_ms() < now - request.max_age_ms();
    if (claim != nullptr && !too_old && claim->state() == model::v1::CLAIM_STATE_HOLDS) {
      view.set_holds(view.holds() + 1);
      continue;
    }
    const auto newest = tries.find(host.declared().name());
    *view.add_gaps() = GapOf(host, claim, too_old, newest == tries.end() ? nullptr : &newest->second);
    const bool fails = view.gaps().rbegin()->state() == model::v1::CLAIM_STATE_FAILS;
    fails ? view.set_fails(view.fails() + 1) : view.set_unknown(view.unknown() + 1);
  }
  return view;
}

}  // namespace reprise::report
