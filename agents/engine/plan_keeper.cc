#include "agents/engine/plan_keeper.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/model/authorization.h"
#include "core/model/size_limits.h"

namespace reprise::agents {
namespace {

using agent::v1::SpoolRecord;
using agent::v1::TaskKey;

constexpr size_t kOffersMax = 64;
constexpr size_t kOffersBytesMax = 64 << 20;
using model::kGateBytesMax;
using model::kGatesOfPlanMax;
// A clock that was set back a little does not bring a forgotten plan to life, and a late outcome is not dropped at
// once.
constexpr int64_t kForgetAfterMs = 60 * 60 * 1000;
constexpr int64_t kForgetUnacknowledgedAfterMs = 30LL * 24 * 60 * 60 * 1000;

bool Same(const plan::v1::PlanAuthority& a, const plan::v1::PlanAuthority& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

bool SamePlan(const plan::v1::PlanAuthority& a, const plan::v1::PlanAuthority& b) {
  return a.plan().statement() == b.plan().statement();
}

// A signature that was kept is not lost because the coordinator leaves it out; one that is new may be added.
void AddSignatures(const plan::v1::PlanAuthority& from, plan::v1::PlanAuthority& to) {
  auto& all = *to.mutable_plan()->mutable_signatures();
  for (const plan::v1::Signature& one : from.plan().signatures()) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.minisig() == one.minisig(); });
    if (!known) *all.Add() = one;
  }
}

void AddNew(std::vector<plan::v1::SignedStatement>& all, const plan::v1::SignedStatement& one) {
  const bool known = std::any_of(
      all.begin(), all.end(), [&](const auto& other) { return other.SerializeAsString() == one.SerializeAsString(); });
  if (!known && all.size() < kGatesOfPlanMax) all.push_back(one);
}

}  // namespace

Case PlanKeeper::CaseFor(const TaskKey& key, const plan::v1::Signature& plugin_signature) const {
  Case the_case{desk_.memory(), desk_.options().exercise, {}, {}, plugin_signature};
  if (const PlanMemo* kept = desk_.memory().FindPlan(key.plan_id())) {
    the_case.authority = kept->authority;
    the_case.gates = kept->gates;
  }
  if (const auto offer = offered_.find(key.plan_id()); offer != offered_.end()) {
    // CheckIdentity saw to it that it is the same plan; whether it is whole is for the judge to say.
    if (!offer->second.authority.header().empty()) {
      const plan::v1::PlanAuthority kept = std::exchange(the_case.authority, offer->second.authority);
      if (SamePlan(kept, the_case.authority)) AddSignatures(kept, the_case.authority);
    }
    for (const auto& gate : offer->second.gates) AddNew(the_case.gates, gate);
  }
  return the_case;
}

Refusal PlanKeeper::CheckIdentity(const agent::v1::Task& task) {
  const std::string& id = task.key().plan_id();
  const PlanMemo* kept = desk_.memory().FindPlan(id);
  if (kept == nullptr || !task.has_authority() || SamePlan(kept->authority, task.authority()) ||
      REPRISE_PLANTED(kAnyPlanUnderItsName)) {
    return {};
  }
  // Signatures last: they cost the most, and whoever owns the coordinator may send many.
  const auto is_signed = [&] {
    const auto plan = model::CheckPlan(desk_.memory().keyring(), task.authority().plan(), task.authority().header(),
                                       desk_.now());
    return plan.ok() && !plan->signers.empty();
  };
  if (!kept->is_unsigned || WorkOf(id).running || !is_signed()) {
    return {"another_plan", absl::StrCat("this host knows another plan by the name ", id, ", until that one has expired"),
            "make a new plan with `reprise plan`; if nobody made two of one name, somebody else speaks for the coordinator"};
  }
  SpoolRecord record;
  record.mutable_plans_forgotten()->add_plans(id);
  desk_.Keep(std::move(record));
  return {};
}

void PlanKeeper::TakeOffer(const agent::v1::Task& task) {
  const bool new_plan = !offered_.contains(task.key().plan_id());
  if (!task.has_authority() && task.gates().empty()) return;
  const size_t bytes = task.ByteSizeLong();
  if ((new_plan && offered_.size() >= kOffersMax) || offered_bytes_ + bytes > kOffersBytesMax) DropOffers();
  Offer& offer = offered_[task.key().plan_id()];
  offer.bytes += bytes;
  offered_bytes_ += bytes;
  if (task.has_authority()) offer.authority = task.authority();
  for (const auto& gate : task.gates()) {
    if (gate.ByteSizeLong() <= kGateBytesMax) AddNew(offer.gates, gate);
  }
}

void PlanKeeper::DropOffers() {
  offered_.clear();
  offered_bytes_ = 0;
}

void PlanKeeper::Keep(const TaskKey& key, const Case& the_case, const Permit& permit) {
  const PlanMemo* kept = desk_.memory().FindPlan(key.plan_id());
  if (kept == nullptr || !Same(kept->authority, the_case.authority)) {
    SpoolRecord record;
    record.mutable_plan_kept()->set_plan_id(key.plan_id());
    record.mutable_plan_kept()->set_run(key.run());
    record.mutable_plan_kept()->set_expires_ms(permit.expires);
    record.mutable_plan_kept()->set_created_ms(permit.created);
    // Signed once is signed: what people wanted does not give way because the coordinator left a signature out.
    record.mutable_plan_kept()->set_unsigned_(permit.plugin_signature_needed && (kept == nullptr || kept->is_unsigned));
    *record.mutable_plan_kept()->mutable_authority() = the_case.authority;
    desk_.Keep(std::move(record));
    kept = desk_.memory().FindPlan(key.plan_id());
  }
  if (the_case.gates.size() > kept->gates.size()) {
    SpoolRecord record;
    record.mutable_gates_kept()->set_plan_id(key.plan_id());
    for (size_t i = kept->gates.size(); i < the_case.gates.size(); ++i) {
      *record.mutable_gates_kept()->add_decisions() = the_case.gates[i];
    }
    desk_.Keep(std::move(record));
  }
  if (const auto offer = offered_.find(key.plan_id()); offer != offered_.end()) {
    offered_bytes_ -= offer->second.bytes;
    offered_.erase(offer);
  }
}

bool PlanKeeper::MakeRoom(const std::string& plan_id, bool is_unsigned) {
  const auto& plans = desk_.memory().plans();
  if (plans.contains(plan_id)) return true;
  const auto known = static_cast<size_t>(std::count_if(
      plans.begin(), plans.end(), [&](const auto& entry) { return entry.second.is_unsigned == is_unsigned; }));
  if (!is_unsigned) return known < kPlansMax;
  if (known < kUnsignedPlansMax) return true;
  const std::string oldest = OldestUnsignedEnded();
  if (oldest.empty()) return false;
  SpoolRecord record;
  record.mutable_plans_forgotten()->add_plans(oldest);
  record.mutable_plans_forgotten()->set_unsigned_until_ms(plans.at(oldest).created);
  desk_.Keep(std::move(record));
  return true;
}

PlanKeeper::Work PlanKeeper::WorkOf(const std::string& plan_id) const {
  Work work;
  for (const auto& [id, attempt] : desk_.memory().attempts()) {
    if (id.plan == plan_id) (attempt.finished ? work.unacknowledged : work.running) = true;
  }
  return work;
}

// First those whose outcomes the coordinator has: the others are said at each connection, and are lost with the plan.
std::string PlanKeeper::OldestUnsignedEnded() const {
  std::string oldest;
  std::pair<bool, UnixMs> rank;
  for (const auto& [id, plan] : desk_.memory().plans()) {
    if (!plan.is_unsigned) continue;
    const Work work = WorkOf(id);
    const std::pair<bool, UnixMs> own = {work.unacknowledged, plan.created};
    if (work.running || (!oldest.empty() && own >= rank)) continue;
    oldest = id;
    rank = own;
  }
  return oldest;
}

void PlanKeeper::Forget() {
  SpoolRecord record;
  auto& forgotten = *record.mutable_plans_forgotten();
  for (const auto& [id, plan] : desk_.memory().plans()) {
    if (plan.expires + kForgetAfterMs > desk_.now()) continue;
    const Work work = WorkOf(id);
    if (work.running || (work.unacknowledged && plan.expires + kForgetUnacknowledgedAfterMs > desk_.now())) continue;
    forgotten.add_plans(id);
    forgotten.set_until_ms(std::max<int64_t>(forgotten.until_ms(), plan.expires));
  }
  if (!forgotten.plans().empty()) desk_.Keep(std::move(record));
}

// Plans that cannot be forgotten yet are looked at again with the next input after a while.
UnixMs PlanKeeper::NextForgetting() const {
  UnixMs next = std::numeric_limits<UnixMs>::max();
  for (const auto& [id, plan] : desk_.memory().plans()) {
    UnixMs at = plan.expires + kForgetAfterMs;
    if (at <= desk_.now()) at += ((desk_.now() - at) / kForgetAfterMs + 1) * kForgetAfterMs;
    next = std::min(next, at);
  }
  return next;
}

}  // namespace reprise::agents
