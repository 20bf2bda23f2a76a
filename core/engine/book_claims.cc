// Folding what plugins found out: claims about their host, judgements of copies, numbers.
#include <algorithm>

#include "core/engine/book.h"

namespace reprise::engine {
namespace {

// Of one host; more are not kept. A hospital of 640 recovery points has them on a few readers.
constexpr size_t kPointsOfHostMax = 10'000;
constexpr int kClaimsOfHostMax = 256;
constexpr int kMeasuresOfHostMax = 256;

// When the last look of a task ended, or some time before: an outcome may be days on its way. The task was not begun before
// it was sent, and it took as long as the host says, but no longer than it was allowed. Of the host's clock nothing else is
// believed; so a proof seems older than it is where the task had to wait for its files, and never younger.
int64_t LookedAt(const journal::v1::TargetRecord& target, const agent::v1::Finished& finished, int64_t heard_ms) {
  const int64_t allowed = std::max<int64_t>(0, target.deadline_ms() - target.dispatched_ms());
  return std::min(heard_ms, target.sent_ms() + std::clamp<int64_t>(finished.duration_ms(), 0, allowed));
}

}  // namespace

void Book::NoteFindings(HostBook& host, const journal::v1::TargetRecord& target, uint64_t run,
                        const agent::v1::Finished& finished, int64_t heard_ms) {
  if (host.record == nullptr) return;
  host.record->set_last_contact_ms(heard_ms);
  const Look look = {run, LookedAt(target, finished, heard_ms), heard_ms};
  NoteClaims(host, look, finished);
  NoteVerdicts(host, look, finished);
  NoteMeasures(host, look, finished);
}

void Book::NoteClaims(HostBook& host, const Look& look, const agent::v1::Finished& finished) {
  if (finished.claims().empty()) return;
  for (const auto& claim : finished.claims()) {
    auto& claims = *host.record->mutable_claims();
    auto found = std::find_if(claims.begin(), claims.end(), [&](const auto& c) { return c.name() == claim.name(); });
    if (found != claims.end() && look.IsBefore(found->at_ms())) continue;
    if (found == claims.end() && claims.size() >= kClaimsOfHostMax) continue;
    journal::v1::ClaimRecord& record = found == claims.end() ? *claims.Add() : *found;
    record.set_name(claim.name());
    record.set_state(claim.state());
    record.set_detail(claim.detail());
    record.set_at_ms(look.at_ms);
    record.set_run(look.run);
  }
  for (const StageId& id : host.awaited_by) TouchStage(*FindRun(id.run), id.stage);
}

void Book::NoteVerdicts(const HostBook& host, const Look& look, const agent::v1::Finished& finished) {
  if (finished.verdicts().empty()) return;
  auto& points = *state_.mutable_recovery_points();
  auto known = static_cast<size_t>(
      std::count_if(points.begin(), points.end(), [&](const auto& point) { return point.host() == host.name; }));
  for (const agent::v1::Verdict& verdict : finished.verdicts()) {
    auto found = std::find_if(points.begin(), points.end(), [&](const auto& point) {
      return point.verdict().point() == verdict.point() && point.verdict().set() == verdict.set() &&
             point.host() == host.name;
    });
    if (found != points.end() && look.IsBefore(found->at_ms())) continue;
    if (found == points.end() && known >= kPointsOfHostMax) continue;
    if (found == points.end()) ++known;
    journal::v1::RecoveryPointRecord& record = found == points.end() ? *points.Add() : *found;
    *record.mutable_verdict() = verdict;
    record.set_host(host.name);
    record.set_at_ms(look.at_ms);
    record.set_run(look.run);
  }
  TouchEverything();  // A restore may wait for it, or be against it now.
}

void Book::NoteMeasures(HostBook& host, const Look& look, const agent::v1::Finished& finished) {
  for (const agent::v1::Measure& measure : finished.measures()) {
    auto& measures = *host.record->mutable_measures();
    auto found = std::find_if(measures.begin(), measures.end(), [&](const auto& known) {
      return known.measure().name() == measure.name() && known.measure().subject() == measure.subject();
    });
    if (found != measures.end() && look.IsBefore(found->at_ms())) continue;
    if (found == measures.end() && measures.size() >= kMeasuresOfHostMax) continue;
    journal::v1::MeasureRecord& record = found == measures.end() ? *measures.Add() : *found;
    *record.mutable_measure() = measure;
    record.set_at_ms(look.at_ms);
  }
}

void Book::ForgetFindings(HostBook& host) {
  host.record->clear_claims();
  host.record->clear_measures();
  auto& points = *state_.mutable_recovery_points();
  points.erase(
      std::remove_if(points.begin(), points.end(), [&](const auto& point) { return point.host() == host.name; }),
      points.end());
  TouchEverything();  // Whoever waits for a claim or a copy of it waits for something else now.
}

}  // namespace reprise::engine
