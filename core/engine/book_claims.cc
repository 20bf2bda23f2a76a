// Folding what plugins found out: claims about their host, judgements of copies, numbers.
#include <algorithm>

#include "core/engine/book.h"

namespace reprise::engine {
namespace {

// Of one host; more are not kept. A hospital of 640 recovery points has them on a few readers.
constexpr size_t kPointsOfHostMax = 10'000;
constexpr int kMeasuresOfHostMax = 256;

}  // namespace

void Book::NoteFindings(HostBook& host, uint64_t run, const agent::v1::Finished& finished, int64_t at_ms) {
  if (host.record == nullptr) return;
  host.record->set_last_contact_ms(at_ms);
  NoteClaims(host, run, finished, at_ms);
  NoteVerdicts(host, run, finished, at_ms);
  NoteMeasures(host, finished, at_ms);
}

void Book::NoteClaims(HostBook& host, uint64_t run, const agent::v1::Finished& finished, int64_t at_ms) {
  if (finished.claims().empty()) return;
  for (const auto& claim : finished.claims()) {
    auto& claims = *host.record->mutable_claims();
    auto found = std::find_if(claims.begin(), claims.end(), [&](const auto& c) { return c.name() == claim.name(); });
    journal::v1::ClaimRecord& record = found == claims.end() ? *claims.Add() : *found;
    record.set_name(claim.name());
    record.set_state(claim.state());
    record.set_detail(claim.detail());
    record.set_at_ms(at_ms);
    record.set_run(run);
  }
  for (const StageId& id : host.awaited_by) TouchStage(*FindRun(id.run), id.stage);
}

void Book::NoteVerdicts(const HostBook& host, uint64_t run, const agent::v1::Finished& finished, int64_t at_ms) {
  if (finished.verdicts().empty()) return;
  auto& points = *state_.mutable_recovery_points();
  auto known = static_cast<size_t>(
      std::count_if(points.begin(), points.end(), [&](const auto& point) { return point.host() == host.name; }));
  for (const agent::v1::Verdict& verdict : finished.verdicts()) {
    auto found = std::find_if(points.begin(), points.end(), [&](const auto& point) {
      return point.verdict().point() == verdict.point() && point.verdict().set() == verdict.set() &&
             point.host() == host.name;
    });
    if (found == points.end() && known >= kPointsOfHostMax) continue;
    if (found == points.end()) ++known;
    journal::v1::RecoveryPointRecord& record = found == points.end() ? *points.Add() : *found;
    *record.mutable_verdict() = verdict;
    record.set_host(host.name);
    record.set_at_ms(at_ms);
    record.set_run(run);
  }
  TouchEverything();  // A restore may wait for it, or be against it now.
}

void Book::NoteMeasures(HostBook& host, const agent::v1::Finished& finished, int64_t at_ms) {
  for (const agent::v1::Measure& measure : finished.measures()) {
    auto& measures = *host.record->mutable_measures();
    auto found = std::find_if(measures.begin(), measures.end(), [&](const auto& known) {
      return known.measure().name() == measure.name() && known.measure().subject() == measure.subject();
    });
    if (found == measures.end() && measures.size() >= kMeasuresOfHostMax) continue;
    journal::v1::MeasureRecord& record = found == measures.end() ? *measures.Add() : *found;
    *record.mutable_measure() = measure;
    record.set_at_ms(at_ms);
  }
}

}  // namespace reprise::engine
