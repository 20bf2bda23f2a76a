#include "core/plan/recovery_points.h"

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/model/restoring.h"

namespace reprise::plan {

std::vector<const KnownPoint*> RecoveryPoints::Judged(const BackupSet& set) const {
  std::vector<const KnownPoint*> judged;
  for (const KnownPoint& known : known_.points) {
    if (known.verdict.set() == set.name && known.judged_by == set.reader.text) judged.push_back(&known);
  }
  return judged;
}

v1::RecoveryPoint RecoveryPoints::PointOf(const KnownPoint& known) const {
  v1::RecoveryPoint point;
  point.set_set(known.verdict.set());
  point.set_point(known.verdict.point());
  point.set_manifest_sha256(known.verdict.manifest_sha256());
  point.set_verdict(known.verdict.verdict());
  point.set_taken_ms(known.verdict.taken_ms());
  point.set_compromised_ms(known_.backups.compromised);
  point.set_trust(model::TrustOf(point.taken_ms(), point.compromised_ms()));
  point.set_judged_by(known.judged_by);
  point.set_judged_ms(known.judged);
  const ConcessionSpec* spec = known_.backups.FindConcession(point.set(), point.point());
  if (spec == nullptr) return point;
  v1::Concession& concession = *point.mutable_concession();
  concession.set_name(spec->name);
  for (const auto allowance : spec->allows) concession.add_allows(allowance);
  concession.set_decided_by(spec->decided_by);
  concession.set_reason(spec->reason);
  concession.set_compensating(spec->compensating);
  concession.set_expires_ms(spec->expires);
  return point;
}

std::string RecoveryPoints::SoundOneOf(const BackupSet& set) const {
  const KnownPoint* best = nullptr;
  for (const KnownPoint* known : Judged(set)) {
    if (!model::NeededAllowances(PointOf(*known)).empty()) continue;
    if (best == nullptr || best->verdict.taken_ms() < known->verdict.taken_ms()) best = known;
  }
  return best == nullptr ? ""
                         : absl::StrCat(set.name, "/", best->verdict.point(), ", taken ",
                                        FormatTime(best->verdict.taken_ms()));
}

std::optional<v1::RecoveryPoint> RecoveryPoints::Choose(const Placed& name) {
  const size_t slash = name.text.find('/');
  const std::string set = name.text.substr(0, slash);
  const std::string copy = slash == std::string::npos ? "" : name.text.substr(slash + 1);
  if (!model::IsName(set) || !model::IsCopyName(copy)) {
    diagnostics_.Error(name.place, absl::StrCat("restores is \"", name.text, "\""))
        .Expected("SET/POINT: a backup set and one of its copies");
    return std::nullopt;
  }
  const BackupSet* declared = known_.backups.FindSet(set);
  if (declared == nullptr) {
    diagnostics_.Error(name.place, absl::StrCat("there is no backup set \"", set, "\""))
        .ExpectedOneOf(known_.backups.SetNames())
        .Nearest(set, known_.backups.SetNames())
        .Hint("sets are declared in a document of kind Backups");
    return std::nullopt;
  }
  const KnownPoint* found = nullptr;
  std::vector<std::string> names;
  for (const KnownPoint* known : Judged(*declared)) {
    names.push_back(absl::StrCat(set, "/", known->verdict.point()));
    if (known->verdict.point() == copy) found = known;
  }
  const std::string sound = SoundOneOf(*declared);
  const std::string instead = sound.empty() ? "no copy of this set is proven sound yet: judge them, `reprise backup ls`"
                                            : absl::StrCat("the newest that is proven sound: ", sound);
  if (found == nullptr) {
    diagnostics_.Error(name.place, absl::StrCat("the copy ", name.text, " was never judged by ", declared->reader.text))
        .Expected("a copy that the set's reader has judged")
        .Nearest(name.text, names)
        .Hint(instead);
    return std::nullopt;
  }
  v1::RecoveryPoint point = PointOf(*found);
  if (known_.keyring == nullptr) return point;
  const auto allowed = model::CheckRecoveryPoint(*known_.keyring, point, known_.requester, known_.now);
  if (allowed.ok()) return point;
  diagnostics_.Error(name.place, std::string(allowed.message()))
      .Expected("a copy that was judged INTACT and taken before the first compromise, or a concession about it")
      .Hint(instead);
  return std::nullopt;
}

}  // namespace reprise::plan
