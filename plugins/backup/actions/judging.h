// Recovery points below a path, judged by the confined children, and what is to be told of them. What both actions that
// judge are made of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/backup/worker/recovery_point.h"
#include "plugins/sdk/sdk.h"

namespace reprise::backup {

// More would not fit into one report.
inline constexpr size_t kPointsMax = 256;

struct Point {
  std::string name;  // [A-Za-z0-9._-], begins with a letter or a digit.
  std::string path;
};

// One with the name of parameter `point`; else `path` itself if it is a file; else each entry of the folder `path`.
// Throws Error "bad_params", "no_points", "too_many_points".
std::vector<Point> PointsOf(const sdk::Context& context);

class Judging {
 public:
  // `state`: where records are kept; empty: nowhere. `writes`: records are added.
  Judging(sdk::Context& context, const std::string& state, bool writes);

  // Files that would have to be read still.
  Ahead AheadOfAll();
  // Judges all points, with progress.
  sdk::ProbeResult Run();
  // Of the last Run: read again, so many files at most, each by its own way and compared. Empty: they agree.
  std::string ReadAgain(size_t files);

  static sdk::Params Parameters();

 private:
  void Tell(const Point& point, const Judgement& judgement, sdk::ProbeResult& result);
  JudgeOptions Options();

  sdk::Context& context_;
  const std::string program_;
  const std::vector<Point> points_;
  sdk::Manifest expected_;
  std::unique_ptr<Resume> resume_;
  std::vector<std::pair<Point, std::vector<sdk::ManifestFile>>> manifests_;
  size_t lines_ = 0;  // Of evidence, so far.
};

}  // namespace reprise::backup
