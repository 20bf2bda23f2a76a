#include "plugins/mail/migration_folders.h"

#include <algorithm>
#include <optional>
#include <set>

namespace reprise::mail {
namespace {

bool Has(const Folder& folder, std::string_view use) {
  return std::find(folder.special_use.begin(), folder.special_use.end(), use) != folder.special_use.end();
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

class Planner {
 public:
  Planner(const std::vector<Folder>& source, const std::vector<Folder>& target, const std::map<FolderPath, FolderPath>& known,
          const std::function<FolderPath(const FolderPath&)>& fit, bool fold_case)
      : known_(known), fit_(fit), fold_case_(fold_case) {
    for (const auto& [from, to] : known) taken_.insert(Key(to));
    for (const Folder& folder : source) {
      for (const std::string& use : folder.special_use) {
        // Of two with the same use, the first is it.
        if (!uses_.insert(use).second) continue;
        const auto there = std::find_if(target.begin(), target.end(), [&](const Folder& one) { return one.selectable && Has(one, use); });
        if (there != target.end()) special_.emplace(folder.path, there->path);
      }
    }
  }

  FolderPath Place(const Folder& folder) {
    if (const auto known = known_.find(folder.path); known != known_.end()) return known->second;
    FolderPath place = fit_(Wanted(folder.path));
    const std::string name = place.back();
    for (int i = 2; !taken_.insert(Key(place)).second; ++i) place.back() = name + "-" + std::to_string(i);
    return place;
  }

 private:
  // A folder named inbox is the inbox on every server; below it, names are names.
  FolderPath Key(FolderPath path) const {
    for (size_t i = 0; i < path.size(); ++i) {
      if (fold_case_ || (i == 0 && Upper(path[0]) == "INBOX")) path[i] = Upper(path[i]);
    }
    return path;
  }

  FolderPath Wanted(const FolderPath& path) const {
    if (path.size() == 1 && Upper(path[0]) == "INBOX") return {"INBOX"};
    // The nearest one above, or itself, that goes elsewhere.
    for (size_t depth = path.size(); depth > 0; --depth) {
      const FolderPath above(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth));
      std::optional<FolderPath> moved;
      if (const auto special = special_.find(above); special != special_.end()) moved = special->second;
      if (const auto known = known_.find(above); known != known_.end()) moved = known->second;
      if (!moved) continue;
      FolderPath wanted = *moved;
      wanted.insert(wanted.end(), path.begin() + static_cast<std::ptrdiff_t>(depth), path.end());
      return wanted;
    }
    return path;
  }

  const std::map<FolderPath, FolderPath>& known_;
  const std::function<FolderPath(const FolderPath&)>& fit_;
  const bool fold_case_;
  std::set<FolderPath> taken_;
  std::set<std::string> uses_;
  std::map<FolderPath, FolderPath> special_;
};

}  // namespace

FolderPlan PlanFolders(const std::vector<Folder>& source, const std::vector<Folder>& target,
                       const std::map<FolderPath, FolderPath>& known, const std::function<FolderPath(const FolderPath&)>& fit, bool fold_case) {
  FolderPlan plan;
  Planner planner(source, target, known, fit, fold_case);
  std::vector<const Folder*> order;
  for (const Folder& folder : source) {
    if (Has(folder, "\\All") || Has(folder, "\\Flagged")) {
      plan.virtuals.push_back(folder.path);
    } else if (!folder.path.empty()) {
      order.push_back(&folder);
    }
  }
  // Those that have a claim to a name come before those that only happen to have it.
  std::map<const Folder*, FolderPath> places;
  for (const bool claims : {true, false}) {
    for (const Folder* folder : order) {
      const bool inbox = folder->path.size() == 1 && Upper(folder->path[0]) == "INBOX";
      if ((inbox || !folder->special_use.empty()) == claims) places.emplace(folder, planner.Place(*folder));
    }
  }
  for (const Folder* folder : order) plan.pairs.push_back({*folder, places.at(folder)});
  return plan;
}

}  // namespace reprise::mail
