#include "plugins/package/take_away.h"

#include <algorithm>
#include <sstream>

namespace reprise::package {
namespace {

void Run(const Dpkg& dpkg, std::vector<std::string> arguments, const std::vector<std::string>& names) {
  if (names.empty()) return;
  arguments.insert(arguments.end(), names.begin(), names.end());
  const sdk::RunResult done = dpkg.Change(arguments);
  if (done.ok()) return;
  const std::vector<std::string> dependents = DependentsIn(done);
  if (dependents.empty()) Dpkg::Fail("removing packages", done);
  std::string all;
  for (const std::string& one : dependents) all += (all.empty() ? "" : ", ") + one;
  throw sdk::Error("needed_by_others", "not removed, because these came to depend on it: " + all,
                   "remove them first, if they are not wanted");
}

}  // namespace

std::vector<std::string> DependentsIn(const sdk::RunResult& said) {
  std::vector<std::string> names;
  std::istringstream lines(said.err + said.out);
  for (std::string line; std::getline(lines, line);) {
    // " systemd depends on libssl3 (>= 3.0.0)."
    if (line.size() < 2 || line[0] != ' ' || line[1] == ' ') continue;
    if (line.find(" depends on ") == std::string::npos && line.find(" pre-depends on ") == std::string::npos) continue;
    const std::string name = line.substr(1, line.find(' ', 1) - 1);
    if (IsPlainWord(name) && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> TakeAway(const Dpkg& dpkg, const std::vector<Brought>& brought) {
  std::vector<std::string> remove, broken, purge, all;
  for (auto one = brought.rbegin(); one != brought.rend(); ++one) {
    if (!one->is_new()) continue;
    const PackageState state = dpkg.State(one->name);
    if (state.installed() && state.version != one->version) {
      throw sdk::Error(
          "changed_since",
          "package " + one->name + " is at version " + state.version + ", this step brought " + one->version,
          "somebody installed another version since: remove it by hand if it is not wanted");
    }
    if (!state.gone()) {
      (state.reinstall_required ? broken : remove).push_back(one->name);
      all.push_back(one->name);
    }
    if (one->before == "not-installed" && state.status != "not-installed") purge.push_back(one->name);
  }
  // Half unpacked, and brought by this step: there is nothing of it to be kept.
  Run(dpkg, {"--force-remove-reinstreq", "--remove"}, broken);
  Run(dpkg, {"--remove"}, remove);
  std::erase_if(purge, [&](const std::string& name) { return dpkg.State(name).status == "not-installed"; });
  Run(dpkg, {"--purge"}, purge);
  return all;
}

}  // namespace reprise::package
