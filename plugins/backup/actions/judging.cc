#include "plugins/backup/actions/judging.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "plugins/backup/actions/programs.h"
#include "plugins/backup/actions/when.h"
#include "plugins/backup/judge/words.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using Steady = std::chrono::steady_clock;

constexpr size_t kNameMax = 100;
constexpr size_t kEvidencePerPoint = 6;
constexpr size_t kEvidenceLines = 120;
constexpr size_t kMissingTold = 5;
constexpr size_t kExpectedMax = size_t{1} << 30;

bool IsPointLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '.' || c == '_' || c == '-';
}

std::string PointName(const std::string& entry) {
  std::string name;
  for (const char c : entry) name += IsPointLetter(c) ? c : '-';
  const bool begins = !name.empty() && name[0] != '.' && name[0] != '_' && name[0] != '-';
  if (!begins) name = "p" + name;
  // Another name than the entry's must not be another entry's.
  if (name == entry && name.size() <= kNameMax) return name;
  return name.substr(0, kNameMax) + "-" + sdk::Sha256OfText(entry).substr(0, 8);
}

std::string Shortened(std::string text, size_t most) {
  if (text.size() > most) {
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    text = text.substr(0, most) + "…";
  }
  return text;
}

std::string Span(int64_t seconds) {
  if (seconds < 90) return Words(seconds, " s");
  if (seconds < 5400) return Words((seconds + 30) / 60, " min");
  return Words(seconds / 3600, " h ", seconds % 3600 / 60, " min");
}

std::string Size(uint64_t bytes) {
  if (bytes < 10'000'000) return Words(bytes / 1000, " kB");
  return bytes < 10'000'000'000 ? Words(bytes / 1'000'000, " MB") : Words(bytes / 1'000'000'000, " GB");
}

// Progress with the time that is left, by the pace so far.
class Pace {
 public:
  Pace(sdk::Context& context, uint64_t all) : context_(context), all_(std::max<uint64_t>(all, 1)) {}
  void Read(const std::string& point, uint64_t bytes) {
    read_ += bytes;
    const auto now = Steady::now();
    if (now - told_ < std::chrono::seconds(1)) return;
    told_ = now;
    const double seconds = std::chrono::duration<double>(now - began_).count();
    const double share = std::min(1.0, static_cast<double>(read_) / static_cast<double>(all_));
    std::string text = Words(point, ": ", Size(std::min(read_, all_)), " of ", Size(all_));
    if (share > 0.005 && seconds > 2) {
      text += Words(", about ", Span(static_cast<int64_t>(seconds * (1 - share) / share)), " left");
    }
    context_.Progress(share, text);
  }

 private:
  sdk::Context& context_;
  const uint64_t all_;
  uint64_t read_ = 0;
  const Steady::time_point began_ = Steady::now();
  Steady::time_point told_ = began_;
};

std::optional<int64_t> MomentParam(const sdk::Context& context, const std::string& name) {
  const std::string text = context.Param(name, std::string());
  if (text.empty() || text == "unknown") return std::nullopt;
  const auto moment = ParseMoment(text);
  if (!moment) {
    throw Error("bad_params", "parameter " + name + " is \"" + Shortened(text, 60) + "\", expected a moment or unknown",
                "write it as 2022-08-20T23:30:00+02:00");
  }
  return moment;
}

}  // namespace

sdk::Params Judging::Parameters() {
  return {sdk::Path("path").Required().About("A file or folder that is a recovery point, or a folder of several"),
          sdk::Text("set").Required().AtMost(64).About("The backup set: lower case, digits, - and ."),
          sdk::Text("point").AtMost(kNameMax).About("Name of the recovery point that path is; without it, each entry of "
                                                    "the folder path is one, by its name"),
          sdk::Text("taken").AtMost(40).About("When it was taken (RFC 3339); without it, its newest file's time"),
          sdk::Text("compromise").Default("unknown").AtMost(40).About("First compromise (RFC 3339), or unknown"),
          sdk::Path("expected").About("An earlier manifest of the point: what there must be"),
          sdk::Path("password_file").About("Of a restic repository: a file on this host"),
          sdk::Text("require").OneOf({"judged", "sound"}).Default("judged").About(
              "sound: the step fails unless every point is INTACT or INTACT_SAMPLED"),
          sdk::Integer("processes").Range(1, 64).About("Children at once; default: one for each processor"),
          sdk::Path("program").About("reprise-backup-judge; default: beside the plugin host")};
}

std::vector<Point> PointsOf(const sdk::Context& context) {
  const fs::path path = context.Param("path");
  const std::string set = context.Param("set");
  const bool legal = !set.empty() && set[0] != '-' && set[0] != '.' &&
                     std::all_of(set.begin(), set.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '.';
                     });
  if (!legal) throw Error("bad_params", "parameter set is \"" + set + "\", expected lower case, digits, - and .");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw Error("no_points", path.string() + " is not there", "is the copy attached?");
  if (context.Has("point")) {
    const std::string point = context.Param("point");
    if (point.empty() || PointName(point) != point) {
      throw Error("bad_params", "parameter point is \"" + point + "\", expected letters, digits and . _ -");
    }
    return {{point, path.string()}};
  }
  if (!fs::is_directory(status)) return {{PointName(path.filename().string()), path.string()}};
  std::vector<Point> points;
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name == "lost+found" || entry.is_symlink()) continue;
    points.push_back({PointName(name), entry.path().string()});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.path < b.path; });
  if (points.empty()) throw Error("no_points", path.string() + " has no entry", "is the copy attached?");
  if (points.size() > kPointsMax) {
    throw Error("too_many_points", Words(path.string(), " has ", points.size(), " entries, at most ", kPointsMax, " are judged at once"),
                "give parameter point if the folder is one recovery point; else judge its entries in several steps");
  }
  return points;
}

Judging::Judging(sdk::Context& context, const std::string& state, bool writes)
    : context_(context), program_(ProgramFor(context, "reprise-backup-judge")), points_(PointsOf(context)) {
  MomentParam(context, "taken");
  MomentParam(context, "compromise");
  if (points_.size() > 1 && (context.Has("taken") || context.Has("expected"))) {
    throw Error("bad_params", "parameters taken and expected speak of one recovery point, and there are several",
                "give parameter point, and judge each in a step of its own");
  }
  if (context.Has("expected")) {
    expected_ = sdk::ParseManifest(sdk::ReadFile(context.Param("expected"), kExpectedMax));
    if (expected_.files.empty()) throw Error("bad_manifest", context.Param("expected") + " lists no file");
  }
  if (state.empty()) return;
  resume_ = std::make_unique<Resume>(
      state, program_, [&context](const std::string& word) { context.Log(sdk::LogLevel::kWarning, word); }, writes);
}

JudgeOptions Judging::Options() {
  JudgeOptions options;
  options.manifest = true;
  options.expected = expected_.files.empty() ? nullptr : &expected_;
  options.resume = resume_.get();
  return options;
}

Ahead Judging::AheadOfAll() {
  Ahead all;
  for (const Point& point : points_) {
    context_.ThrowIfCancelled();
    const Ahead one = AheadOf(point.path, Options());
    all.jobs += one.jobs;
    all.bytes += one.bytes;
  }
  return all;
}

sdk::ProbeResult Judging::Run() {
  PoolOptions options;
  options.program = program_;
  options.children = static_cast<size_t>(
      context_.Param<int64_t>("processes", std::max<int64_t>(1, std::thread::hardware_concurrency())));
  if (context_.Has("password_file")) options.environment["RESTIC_PASSWORD_FILE"] = context_.Param("password_file");
  Pool pool(options);
  Pace pace(context_, AheadOfAll().bytes);
  sdk::ProbeResult result;
  size_t sound = 0;
  manifests_.clear();
  for (const Point& point : points_) {
    Steps steps;
    steps.read = [&](uint64_t bytes) {
      context_.ThrowIfCancelled();
      pace.Read(point.name, bytes);
    };
    Judgement judgement = JudgeRecoveryPoint(point.path, pool, steps, Options());
    sound += IsSound(judgement.verdict) ? 1 : 0;
    Tell(point, judgement, result);
    manifests_.emplace_back(point, std::move(judgement.manifest));
  }
  result.summary = Words(sound, " of ", points_.size(), points_.size() == 1 ? " recovery point is sound" : " recovery points are sound");
  if (points_.size() == 1) result.summary = Words(points_[0].name, ": ", result.verdicts[0].verdict);
  result.holds = context_.Param("require") == "judged" || sound == points_.size();
  return result;
}

void Judging::Tell(const Point& point, const Judgement& judgement, sdk::ProbeResult& result) {
  const auto taken = MomentParam(context_, "taken");
  const auto compromise = MomentParam(context_, "compromise");
  sdk::Verdict verdict;
  verdict.set = context_.Param("set");
  verdict.point = point.name;
  verdict.verdict = NameOf(judgement.verdict);
  verdict.manifest_sha256 = judgement.manifest_sha256;
  verdict.coverage = judgement.Coverage();
  verdict.taken_unix_ms = taken.value_or(judgement.newest_unix_ms);
  for (const sdk::ManifestFile& file : judgement.manifest) verdict.bytes += file.bytes;
  const std::string trust = !compromise || verdict.taken_unix_ms == 0 ? "unknown"
                            : verdict.taken_unix_ms < *compromise     ? "before"
                                                                      : "after";
  const int64_t age_hours = verdict.taken_unix_ms == 0 ? -1
      : std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch()).count() - verdict.taken_unix_ms) / 3'600'000;
  verdict.detail = judgement.basis;
  if (!judgement.evidence.empty()) {
    const Finding& worst = judgement.evidence.front();
    verdict.detail = Words(worst.file, " at ", worst.offset, ": expected ", worst.expected, ", found ", worst.found);
  }
  verdict.detail = Shortened(Words(trust == "unknown" ? "" : trust + " the compromise; ", verdict.detail), 400);

  sdk::Json formats = judgement.formats;
  sdk::Json missing = sdk::Json::array();
  for (size_t i = 0; i < std::min(judgement.missing.size(), kMissingTold); ++i) missing.push_back(Shortened(judgement.missing[i], 160));
  // Many points: each tells less, so that all of them fit into one report.
  sdk::Json told = {{"point", point.name}, {"verdict", verdict.verdict}, {"trust", trust}, {"age_hours", age_hours}};
  if (points_.size() <= 32) {
    told["taken"] = MomentText(verdict.taken_unix_ms);
    told["taken_by"] = taken ? "parameter" : "newest file";
    told["files"] = judgement.facts.files;
    told["checked"] = judgement.Checked();
    told["complete"] = judgement.facts.complete;
    told["formats"] = std::move(formats);
    told["missing"] = std::move(missing);
    told["resumed"] = judgement.resumed;
  }
  result.observed["points"].push_back(std::move(told));
  result.evidence.push_back({"verdict", Shortened(Words(point.name, ": ", verdict.verdict, ": ", judgement.basis), 300)});
  for (size_t i = 0; i < std::min(judgement.evidence.size(), kEvidencePerPoint) && lines_ < kEvidenceLines; ++i, ++lines_) {
    const Finding& finding = judgement.evidence[i];
    result.evidence.push_back({"file", Shortened(Words(point.name, ": ", NameOf(finding.sign), ": ", finding.file, " at ", finding.offset,
                                                       ": expected ", finding.expected, "; found ", finding.found), 320)});
  }
  result.verdicts.push_back(std::move(verdict));
}

std::string Judging::ReadAgain(size_t files) {
  for (const auto& [point, manifest] : manifests_) {
    if (manifest.empty()) continue;
    const bool single = manifest.size() == 1 && !fs::is_directory(point.path);
    const size_t share = std::max<size_t>(1, files / manifests_.size());
    const size_t step = std::max<size_t>(1, manifest.size() / share);
    for (size_t i = 0; i < manifest.size(); i += step) {
      context_.ThrowIfCancelled();
      if (manifest[i].sha256.empty()) continue;
      const fs::path path = single ? fs::path(point.path) : fs::path(point.path) / manifest[i].path;
      const std::string found = sdk::Sha256OfFile(path);
      if (found != manifest[i].sha256) {
        return Words(point.name, ": ", manifest[i].path, " has SHA-256 ", found.substr(0, 16), "…, judged was ",
                     manifest[i].sha256.substr(0, 16), "…");
      }
    }
  }
  return "";
}

}  // namespace reprise::backup
