// Which folder of the target each folder of the source becomes. Pure. Once decided it stays: the ledger keeps it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plugins/mail/store.h"

namespace reprise::mail {

struct FolderPair {
  Folder source;
  FolderPath target;
};

struct FolderPlan {
  std::vector<FolderPair> pairs;     // In the source's order. No two have the same target.
  std::vector<FolderPath> virtuals;  // Left out: \All, \Flagged show what is in other folders.
};

// `known` was decided before. `fit`: the path as the target can have it. `fold_case`: the target takes "Sent" and "SENT" for one.
//
//   INBOX becomes INBOX. A folder with a special use becomes the target's with that use, if it has one; what is below it goes along.
//   Others keep their path. Where two would meet, the later one gets "-2" at its name's end: nothing is mixed.
FolderPlan PlanFolders(const std::vector<Folder>& source, const std::vector<Folder>& target,
                       const std::map<FolderPath, FolderPath>& known, const std::function<FolderPath(const FolderPath&)>& fit, bool fold_case);

}  // namespace reprise::mail
