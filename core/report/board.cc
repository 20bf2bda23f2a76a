// The board: how far each application is back. A rung is a claim `<adapter>.<stage>` that some probe made; an application
// stands on the highest rung below which every rung holds, so that no climb is without its evidence.
#include <algorithm>
#include <map>
#include <string>

#include "core/model/names.h"
#include "core/report/views.h"

namespace reprise::report {
namespace {

using journal::v1::ClaimRecord;
using journal::v1::HostRecord;
using model::v1::AppStage;
using operators::v1::ApplicationView;
using operators::v1::RungView;

using Rungs = std::map<AppStage, RungView>;

// Whose rung the claim is, and which; UNSPECIFIED: it is no rung.
AppStage StageOfClaim(const std::string& claim, std::string* application) {
  const size_t dot = claim.find('.');
  if (dot == std::string::npos) return model::v1::APP_STAGE_UNSPECIFIED;
  const auto stage = model::FromName<AppStage>(claim.substr(dot + 1));
  if (!stage || *stage == model::v1::APP_STAGE_NOT_STARTED) return model::v1::APP_STAGE_UNSPECIFIED;
  *application = claim.substr(0, dot);
  return *stage;
}

// Several hosts may speak of one application: the newest word counts.
void Note(const HostRecord& host, const ClaimRecord& claim, AppStage stage, Rungs& rungs) {
  RungView& rung = rungs[stage];
  if (rung.at_ms() > claim.at_ms()) return;
  rung.set_stage(stage);
  rung.set_state(claim.state());
  rung.set_host(host.declared().name());
  rung.set_detail(claim.detail());
  rung.set_at_ms(claim.at_ms());
  rung.set_run(claim.run());
}

bool Holds(const Rungs& rungs, AppStage stage) {
  const auto found = rungs.find(stage);
  return found != rungs.end() && found->second.state() == model::v1::CLAIM_STATE_HOLDS;
}

AppStage HighestOf(const Rungs& rungs) {
  if (Holds(rungs, model::v1::APP_STAGE_ABANDONED)) return model::v1::APP_STAGE_ABANDONED;
  AppStage highest = model::v1::APP_STAGE_NOT_STARTED;
  for (int next = model::v1::APP_STAGE_DATA_FOUND; next <= model::v1::APP_STAGE_NOMINAL; ++next) {
    if (!Holds(rungs, static_cast<AppStage>(next))) break;
    highest = static_cast<AppStage>(next);
  }
  return highest;
}

}  // namespace

operators::v1::BoardView ViewOfBoard(const engine::Engine& engine) {
  std::map<std::string, Rungs> applications;
  for (const HostRecord& host : engine.state().hosts()) {
    for (const ClaimRecord& claim : host.claims()) {
      std::string application;
      const AppStage stage = StageOfClaim(claim.name(), &application);
      if (stage != model::v1::APP_STAGE_UNSPECIFIED) Note(host, claim, stage, applications[application]);
    }
  }
  operators::v1::BoardView view;
  for (const auto& [name, rungs] : applications) {
    ApplicationView& application = *view.add_applications();
    application.set_name(name);
    application.set_stage(HighestOf(rungs));
    for (const auto& [stage, rung] : rungs) *application.add_rungs() = rung;
  }
  return view;
}

operators::v1::RecoveryPointList ViewOfRecoveryPoints(const engine::Engine& engine) {
  operators::v1::RecoveryPointList list;
  *list.mutable_points() = engine.state().recovery_points();
  std::stable_sort(list.mutable_points()->begin(), list.mutable_points()->end(), [](const auto& a, const auto& b) {
    if (a.verdict().set() != b.verdict().set()) return a.verdict().set() < b.verdict().set();
    return a.verdict().taken_ms() > b.verdict().taken_ms();
  });
  return list;
}

}  // namespace reprise::report
