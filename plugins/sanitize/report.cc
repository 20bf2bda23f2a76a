#include "plugins/sanitize/report.h"

#include <algorithm>
#include <tuple>

namespace reprise::sanitize {
namespace {

constexpr size_t kNamedMax = 5;
constexpr size_t kTextMax = 600;
// An answer may have 1 MiB in all, which names of files that an intruder chose must not exceed.
constexpr size_t kShownBytesMax = 300 << 10;

std::string Short(const std::string& text) { return text.size() <= kTextMax ? text : text.substr(0, kTextMax) + "…"; }

}  // namespace

void Report::AddTo(std::map<std::string, Topic>& topics, const std::string& topic, const std::string& what) {
  Topic& one = topics[topic];
  ++one.count;
  if (one.first.size() < kNamedMax) one.first.push_back(Short(what));
}

std::string Report::WhyNone(const Finding& finding) const {
  // It says nothing of rights, nor of what runs.
  const bool of_content = finding.remedy == Remedy::kRemoveFile || finding.remedy == Remedy::kEditLine;
  if (const auto golden = golden_.find(finding.path);
      of_content && finding.kind != "yara" && golden != golden_.end() && golden->second == finding.sha256) {
    return "as the golden manifest has it";
  }
  return profile_.WhyNone(finding);
}

void Report::Add(Finding finding) {
  const std::string none = WhyNone(finding);
  const std::lock_guard lock(mutex_);
  if (!none.empty()) return AddTo(notes_, none, finding.kind + " " + finding.path);
  if (!ids_.insert(finding.Id()).second) return;
  paths_.insert(finding.path);
  findings_.push_back(std::move(finding));
}

void Report::Unseen(const std::string& what, const std::string& why) {
  const std::lock_guard lock(mutex_);
  AddTo(unseen_, why, what);
}

void Report::Note(const std::string& topic, const std::string& what) {
  const std::lock_guard lock(mutex_);
  AddTo(notes_, topic, what);
}

void Report::Count(const std::string& what, uint64_t more) {
  const std::lock_guard lock(mutex_);
  counts_[what] += more;
}

bool Report::Flagged(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return paths_.contains(path);
}

bool Report::Complete() const {
  const std::lock_guard lock(mutex_);
  return unseen_.empty();
}

const std::vector<Finding>& Report::Findings() {
  const auto rank = [](const Finding& f) { return std::make_tuple(-static_cast<int>(f.sure), f.kind, f.path, f.line); };
  std::sort(findings_.begin(), findings_.end(), [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
  return findings_;
}

std::string Report::Verdict() const {
  const std::lock_guard lock(mutex_);
  const bool certain = std::any_of(findings_.begin(), findings_.end(), [](const Finding& f) { return f.sure == Sure::kCertain; });
  return certain ? "compromised" : !findings_.empty() ? "suspicious" : !unseen_.empty() ? "unknown" : "clean";
}

sdk::ClaimState Report::State() const {
  const std::string verdict = Verdict();
  return verdict == "clean"     ? sdk::ClaimState::kHolds
         : verdict == "unknown" ? sdk::ClaimState::kUnknown
                                : sdk::ClaimState::kFails;
}

std::string Report::Summary() const {
  const std::string verdict = Verdict();
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> kinds;
  for (const Finding& finding : findings_) ++kinds[finding.kind];
  std::string text = verdict;
  std::string separator = ": ";
  for (const auto& [kind, count] : kinds) {
    text += separator + std::to_string(count) + " " + kind;
    separator = ", ";
  }
  uint64_t unseen = 0;
  for (const auto& [why, topic] : unseen_) unseen += topic.count;
  if (unseen != 0) text += "; " + std::to_string(unseen) + " not looked at";
  const auto files = counts_.find("files_verified");
  if (files != counts_.end()) text += "; " + std::to_string(files->second) + " files compared";
  return text;
}

Json Report::Shown(const std::map<std::string, Topic>& topics) {
  Json list = Json::array();
  for (const auto& [why, topic] : topics) {
    list.push_back({{"why", Short(why)}, {"count", topic.count}, {"first", topic.first}});
    if (list.size() >= 50) break;
  }
  return list;
}

Json Report::Observed(size_t shown_max) {
  Json shown = Json::array();
  size_t bytes = 0;
  for (const Finding& finding : Findings()) {
    Finding cut = finding;
    for (std::string* text : {&cut.path, &cut.found, &cut.line, &cut.with}) *text = Short(*text);
    Json json = ToJson(cut);
    json["id"] = finding.Id();
    bytes += json.dump(-1, ' ', true, Json::error_handler_t::replace).size();
    if (shown.size() >= shown_max || bytes > kShownBytesMax) break;
    shown.push_back(std::move(json));
  }
  return {{"verdict", Verdict()},     {"findings", shown},     {"finding_count", findings_.size()},
          {"unseen", Shown(unseen_)}, {"notes", Shown(notes_)}, {"counts", counts_}};
}

std::vector<sdk::Evidence> Report::Evidence(size_t shown_max) {
  std::vector<sdk::Evidence> evidence;
  size_t bytes = 0;
  for (const Finding& finding : Findings()) {
    if (evidence.size() >= shown_max || bytes > kShownBytesMax / 2) {
      evidence.push_back({"findings", std::to_string(findings_.size() - evidence.size()) + " more"});
      break;
    }
    evidence.push_back({finding.kind, finding.Id() + " (" + std::string(NameOf(finding.sure)) + ") " + Short(finding.path) +
                                          ": expected " + finding.expected + ", found " + Short(finding.found)});
    bytes += evidence.back().text.size();
  }
  for (const auto& [why, topic] : unseen_) {
    evidence.push_back({"not looked at", topic.first.front() + (topic.count > 1 ? " and " + std::to_string(topic.count - 1) + " more" : "") + ": " + Short(why)});
    if (evidence.size() >= shown_max + 40) break;
  }
  std::string counts;
  for (const auto& [what, count] : counts_) counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  evidence.push_back({"looked at", counts});
  return evidence;
}

}  // namespace reprise::sanitize
