#include "plugins/edr/tally.h"

namespace reprise::edr {
namespace {

using sdk::ClaimState;

constexpr size_t kKindsMax = 100;

// Names of files are bytes; what is shown is a line.
std::string Shown(const std::string& text) {
  std::string line;
  for (const char c : text.substr(0, 512)) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return line;
}

void Count(std::map<std::string, int64_t>& kinds, const std::string& kind) {
  ++kinds[kinds.contains(kind) || kinds.size() < kKindsMax ? kind : "(others)"];
}

std::string Listed(const std::map<std::string, int64_t>& kinds) {
  std::string text;
  for (const auto& [kind, count] : kinds) {
    if (text.size() > 300) return text + ", …";
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " × " + kind;
  }
  return text;
}

}  // namespace

void Tally::Add(const std::string& path, const Outcome& outcome) {
  switch (outcome.judgement) {
    case Judgement::kClean: ++clean_; return;
    case Judgement::kInfected:
      ++infected_;
      Count(signatures_, Shown(outcome.what));
      if (shown_infected_.size() < shown_max_) shown_infected_.push_back(Shown(path) + ": " + Shown(outcome.what));
      return;
    case Judgement::kNotScanned:
      ++not_scanned_;
      Count(reasons_, Shown(outcome.what));
      if (shown_not_scanned_.size() < shown_max_) shown_not_scanned_.push_back(Shown(path) + ": " + Shown(outcome.what));
      return;
  }
}

void Tally::Distrust(const std::string& why) { distrust_ = why; }

ClaimState Tally::State() const {
  if (infected_ > 0) return ClaimState::kFails;
  if (not_scanned_ > 0 || !distrust_.empty() || clean_ == 0) return ClaimState::kUnknown;
  return ClaimState::kHolds;
}

std::string Tally::Summary() const {
  std::string text = std::to_string(clean_) + " clean, " + std::to_string(infected_) + " infected, " +
                     std::to_string(not_scanned_) + " not scanned";
  if (!signatures_.empty()) text += "; found: " + Listed(signatures_);
  if (!reasons_.empty()) text += "; not scanned: " + Listed(reasons_);
  if (!distrust_.empty()) text += "; clean is worth nothing here: " + distrust_;
  if (total() == 0 && distrust_.empty()) text += "; there was no file to scan";
  return text;
}

sdk::Json Tally::Observed() const {
  return {{"clean", clean_},           {"infected", infected_}, {"not_scanned", not_scanned_},
          {"signatures", signatures_}, {"reasons", reasons_},   {"distrust", distrust_}};
}

std::vector<sdk::Evidence> Tally::Evidence() const {
  std::vector<sdk::Evidence> evidence = {{"scan", Summary()}};
  for (const std::string& line : shown_infected_) evidence.push_back({"infected", line});
  for (const std::string& line : shown_not_scanned_) evidence.push_back({"not_scanned", line});
  return evidence;
}

}  // namespace reprise::edr
