// What people declare of their backups: when the site was first compromised, which sets of copies there are and who reads
// them, and what was conceded about single copies. Plain values; what the copies are worth is the judges' word, which the
// coordinator keeps (recovery_points.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/model/names.h"
#include "core/plan/diagnostics.h"
#include "core/plan/fields.h"

namespace reprise::plan {

struct BackupSet {
  std::string name;
  std::string title;
  Placed reader;                  // The host that attaches and judges its copies: nobody else's word counts.
  Place place;
};

struct ConcessionSpec {
  std::string name;
  Placed set;
  std::string point;
  std::vector<model::v1::Allowance> allows;
  std::string decided_by;
  std::string reason;
  std::string compensating;
  UnixMs expires = 0;
  Place place;
};

struct Backups {
  UnixMs compromised = 0;         // 0: nobody has said.
  std::vector<BackupSet> sets;
  std::vector<ConcessionSpec> concessions;

  const BackupSet* FindSet(std::string_view name) const;
  // nullptr: nothing was conceded about that copy.
  const ConcessionSpec* FindConcession(std::string_view set, std::string_view point) const;
  std::vector<std::string> SetNames() const;
};

// The fields of a Backups document beside apiVersion, kind and metadata, added to `backups`. What is wrong is reported.
void ReadBackups(Fields& fields, Backups& backups, Diagnostics& diagnostics);

}  // namespace reprise::plan
