// What the witness knows of copies: nothing is restored from one that was not proven good.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "tests/sim/witness.h"

namespace reprise::sim {
namespace {

// Alice signs every plan that is signed; who asked for it concedes nothing.
bool MayServe(const plan::v1::RecoveryPoint& point, UnixMs at) {
  if (point.verdict() == model::v1::BACKUP_VERDICT_INTACT) return true;
  return point.verdict() == model::v1::BACKUP_VERDICT_INTACT_SAMPLED && point.concession().decided_by() == "alice" &&
         point.concession().expires_ms() > at;
}

}  // namespace

void Witness::CopiesWereJudged(const std::string& reader, const agent::v1::Finished& finished, const Look& look) {
  for (const agent::v1::Verdict& verdict : finished.verdicts()) {
    Judgement& known = judged_[{reader, verdict.set(), verdict.point()}];
    if (!look.IsBefore(known.at)) known = {verdict.verdict(), verdict.manifest_sha256(), look.at};
  }
}

void Witness::CheckCopy(const plan::v1::Step& step, UnixMs at, const std::string& what) {
  if (!step.has_recovery_point()) return;
  const plan::v1::RecoveryPoint& point = step.recovery_point();
  if (!MayServe(point, at)) Complain("a restore by a judgement that serves nobody" + what);
  const auto newest = judged_.find({point.judged_by(), point.set(), point.point()});
  if (newest == judged_.end()) return Complain("a restore from a copy that nobody judged" + what);
  if (newest->second.verdict != point.verdict() || newest->second.manifest != point.manifest_sha256()) {
    Complain("a restore from a copy that was judged otherwise since" + what);
  }
}

void Witness::CheckCopyOnHost(const plan::v1::Step& step, UnixMs at, const std::string& what) {
  if (!step.has_recovery_point()) return;
  const plan::v1::RecoveryPoint& point = step.recovery_point();
  if (!MayServe(point, at)) Complain("a host restores by a judgement that serves nobody" + what);
  if (nlohmann::json::parse(step.params_json()).value("manifest_sha256", "") != ToHex(point.manifest_sha256())) {
    Complain("a host restores other bytes than those that were judged" + what);
  }
}

}  // namespace reprise::sim
