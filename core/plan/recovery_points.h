// The copy that a restoring step of a workflow names, as the plan will carry it: judged by a reader host, held against the
// date of the first compromise, with the concession that people wrote about it. Private to core/plan but for KnownPoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/plan/backups.h"
#include "core/plan/workflow.h"
#include "reprise/agent/v1/agent.pb.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

// The newest judgement of a copy that the coordinator knows.
struct KnownPoint {
  agent::v1::Verdict verdict;
  std::string judged_by;
  UnixMs judged = 0;
};

class RecoveryPoints {
 public:
  struct Known {
    const Backups& backups;
    const std::vector<KnownPoint>& points;
    const model::Keyring* keyring;  // nullptr: there is none yet; then people are not checked.
    std::string requester;
    UnixMs now;
  };
  RecoveryPoints(Known known, Diagnostics& diagnostics) : known_(std::move(known)), diagnostics_(diagnostics) {}

  // `name` is "SET/POINT". nullopt: nothing may be restored from it, which has been reported with what else there is.
  std::optional<v1::RecoveryPoint> Choose(const Placed& name);

 private:
  // The judgements of the set by its reader.
  std::vector<const KnownPoint*> Judged(const BackupSet& set) const;
  v1::RecoveryPoint PointOf(const KnownPoint& known) const;
  // The newest copy of the set that needs no concession; empty: there is none.
  std::string SoundOneOf(const BackupSet& set) const;

  const Known known_;
  Diagnostics& diagnostics_;
};

}  // namespace reprise::plan
