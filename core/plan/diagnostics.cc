#include "core/plan/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"

namespace reprise::plan {
namespace {

constexpr size_t kShownMax = 160;  // Characters of a source line.

// Line `number` (from 1) without its end.
std::string_view LineOf(std::string_view bytes, uint32_t number) {
  size_t begin = 0;
  for (uint32_t line = 1; line < number; ++line) {
    begin = bytes.find('\n', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  std::string_view line = bytes.substr(begin, bytes.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Bytes of the first `count` characters.
size_t BytesOf(std::string_view text, size_t count) {
  size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    --count;
  }
  return at;
}

std::string Plural(size_t count, const char* word) { return absl::StrCat(count, " ", word, count == 1 ? "" : "s"); }

}  // namespace

Finding& Finding::Expected(std::string text) {
  expected = std::move(text);
  return *this;
}

Finding& Finding::ExpectedOneOf(const std::vector<std::string>& names) {
  constexpr size_t kNamedMax = 16;
  if (names.empty()) return *this;
  if (names.size() == 1) return Expected(names.front());
  std::vector<std::string> shown(names.begin(), names.begin() + std::min(names.size(), kNamedMax));
  if (names.size() > kNamedMax) shown.push_back(absl::StrCat("… (", names.size(), " in all)"));
  return Expected(absl::StrCat("one of ", absl::StrJoin(shown, ", ")));
}

Finding& Finding::Nearest(std::string_view word, const std::vector<std::string>& names) {
  nearest = NearestName(word, names);
  return *this;
}

Finding& Finding::Hint(std::string text) {
  hint = std::move(text);
  return *this;
}

Finding& Finding::Secret(bool yes) {
  secret = secret || yes;
  return *this;
}

uint32_t Diagnostics::AddSource(std::string name, std::string bytes) {
  sources_.push_back({std::move(name), std::move(bytes)});
  return static_cast<uint32_t>(sources_.size() - 1);
}

const std::string& Diagnostics::SourceName(uint32_t source) const { return SourceOf(source).name; }
std::string_view Diagnostics::SourceBytes(uint32_t source) const { return SourceOf(source).bytes; }

const Diagnostics::Source& Diagnostics::SourceOf(uint32_t source) const {
  return sources_[source < sources_.size() ? source : 0];
}

Finding& Diagnostics::Error(Place place, std::string message) {
  ++errors_;
  return Add(Severity::kError, place, std::move(message));
}

Finding& Diagnostics::Warning(Place place, std::string message) {
  ++warnings_;
  return Add(Severity::kWarning, place, std::move(message));
}

Finding& Diagnostics::Add(Severity severity, Place place, std::string message) {
  Finding finding{.severity = severity,
                  .place = place,
                  .message = crypto::MakePlain(message),
                  .expected = {},
                  .nearest = {},
                  .hint = {},
                  .secret = false};
  if (findings_.size() < kFindingsMax) return findings_.emplace_back(std::move(finding));
  return overflow_ = std::move(finding);
}

std::vector<Finding> Diagnostics::Findings() const {
  std::vector<Finding> sorted(findings_.begin(), findings_.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
    const auto key = [](const Finding& f) { return std::tuple(f.place.source, f.place.line, f.place.column); };
    return key(a) < key(b);
  });
  return sorted;
}

std::string Diagnostics::NameOf(Place place) const {
  const std::string& name = SourceOf(place.source).name;
  return place.line == 0 ? name : absl::StrCat(name, ":", place.line, ":", place.column);
}

std::string Diagnostics::RenderOne(const Finding& finding) const {
  const std::string where = NameOf(finding.place);
  std::string text = absl::StrCat(where, where.empty() ? "" : ": ",
                                  finding.severity == Severity::kError ? "error: " : "warning: ", finding.message, "\n");
  const std::string_view line = LineOf(SourceOf(finding.place.source).bytes, finding.place.line);
  if (finding.place.line > 0 && !finding.secret && !line.empty()) {
    // A long line is shown from a little before the place.
    const size_t column = finding.place.column > 0 ? finding.place.column - 1 : 0;
    const size_t skipped = column > kShownMax / 2 ? column - kShownMax / 2 : 0;
    std::string_view rest = line.substr(BytesOf(line, skipped));
    std::string shown(rest.substr(0, BytesOf(rest, kShownMax)));
    std::replace(shown.begin(), shown.end(), '\t', ' ');
    const std::string number = absl::StrCat(finding.place.line);
    const size_t carets = std::clamp<size_t>(finding.place.length, 1, kShownMax / 2);
    absl::StrAppend(&text, "  ", number, " | ", crypto::MakePlain(shown), "\n");
    absl::StrAppend(&text, "  ", std::string(number.size(), ' '), " | ", std::string(column - skipped, ' '), "^",
                    std::string(carets - 1, '~'), "\n");
  }
  if (!finding.expected.empty()) absl::StrAppend(&text, "  = expected ", finding.expected, "\n");
  if (!finding.nearest.empty()) absl::StrAppend(&text, "  = did you mean \"", finding.nearest, "\"?\n");
  if (!finding.hint.empty()) absl::StrAppend(&text, "  = ", finding.hint, "\n");
  return text;
}

std::string Diagnostics::Render() const {
  if (findings_.empty()) return "";
  std::string text;
  for (const Finding& finding : Findings()) absl::StrAppend(&text, RenderOne(finding));
  std::vector<std::string> counts;
  if (errors_ > 0) counts.push_back(Plural(errors_, "error"));
  if (warnings_ > 0) counts.push_back(Plural(warnings_, "warning"));
  const size_t all = errors_ + warnings_;
  absl::StrAppend(&text, absl::StrJoin(counts, ", "),
                  all > findings_.size() ? absl::StrCat(" (the first ", findings_.size(), " are shown)") : "", "\n");
  return text;
}

absl::Status Diagnostics::ToStatus() const {
  return ok() ? absl::OkStatus() : absl::InvalidArgumentError(Render());
}

}  // namespace reprise::plan
