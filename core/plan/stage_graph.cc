#include "core/plan/stage_graph.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace reprise::plan {
namespace {

enum class Mark { kNew, kOnPath, kDone };

// Depth first, with a stack of its own: a document may name thousands of stages.
// Gives a circle as indexes, first and last the same; empty: none.
std::vector<uint32_t> FindCircle(const std::vector<std::vector<uint32_t>>& after) {
  std::vector<Mark> marks(after.size(), Mark::kNew);
  std::vector<std::pair<uint32_t, size_t>> path;  // Stage, and which of its edges is next.
  for (uint32_t start = 0; start < after.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    path.assign(1, {start, 0});
    marks[start] = Mark::kOnPath;
    while (!path.empty()) {
      auto& [stage, edge] = path.back();
      if (edge == after[stage].size()) {
        marks[stage] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const uint32_t next = after[stage][edge++];
      if (marks[next] == Mark::kOnPath) {
        std::vector<uint32_t> circle;
        const auto begin = std::find_if(path.begin(), path.end(), [next](const auto& p) { return p.first == next; });
        for (auto it = begin; it != path.end(); ++it) circle.push_back(it->first);
        circle.push_back(next);
        return circle;
      }
      if (marks[next] == Mark::kNew) {
        marks[next] = Mark::kOnPath;
        path.emplace_back(next, 0);
      }
    }
  }
  return {};
}

}  // namespace

std::vector<std::vector<uint32_t>> OrderStages(const std::vector<StageSpec>& stages, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const StageSpec& stage : stages) names.push_back(stage.name);
  std::vector<std::vector<uint32_t>> after(stages.size());
  for (size_t i = 0; i < stages.size(); ++i) {
    for (const Placed& earlier : stages[i].after) {
      const auto found = std::find(names.begin(), names.end(), earlier.text);
      if (found == names.end()) {
        diagnostics.Error(earlier.place, absl::StrCat("no stage is called \"", earlier.text, "\""))
            .ExpectedOneOf(names)
            .Nearest(earlier.text, names);
        continue;
      }
      const auto index = static_cast<uint32_t>(found - names.begin());
      if (std::find(after[i].begin(), after[i].end(), index) == after[i].end()) after[i].push_back(index);
    }
    std::sort(after[i].begin(), after[i].end());
  }
  if (const std::vector<uint32_t> circle = FindCircle(after); !circle.empty()) {
    // Begins with the stage that stands first in the document.
    std::vector<uint32_t> loop(circle.begin(), circle.end() - 1);
    std::rotate(loop.begin(), std::min_element(loop.begin(), loop.end()), loop.end());
    std::string drawn;
    for (const uint32_t stage : loop) absl::StrAppend(&drawn, names[stage], " -> ");
    absl::StrAppend(&drawn, names[loop.front()]);
    diagnostics.Error(stages[loop.front()].after.front().place, absl::StrCat("stages wait for each other: ", drawn))
        .Expected("an order without a circle (a -> b: a comes after b)");
  }
  return after;
}

}  // namespace reprise::plan
