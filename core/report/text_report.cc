#include "core/report/text_report.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"

namespace reprise::report {
namespace {

using operators::v1::CoverageGap;
using operators::v1::RunView;

std::string TimeText(UnixMs at, const ReportOptions& options) {
  const char* form = options.language == Language::kFrench ? "%d/%m/%Y %H:%M %Z" : "%Y-%m-%d %H:%M %Z";
  return absl::FormatTime(form, absl::FromUnixMillis(at), options.zone);
}

// One line, cut between words where it would be wider than a page; what follows is indented under it.
void Line(std::string& out, size_t indent, const std::string& said) {
  const std::string text = crypto::MakePlain(said);  // Some of it was said by hosts: no line may be forged.
  constexpr size_t kWidth = 100;
  const std::string margin(indent, ' ');
  out += margin;
  size_t column = indent;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(at, end - at);
    const auto letters = static_cast<size_t>(
        std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (column > indent && column + 1 + letters > kWidth) {
      absl::StrAppend(&out, "\n", margin, "  ");
      column = indent + 2;
    } else if (column > indent) {
      out += ' ';
      column += 1;
    }
    out += word;
    column += letters;
    at = end + 1;
  }
  out += '\n';
}

void Heading(std::string& out, const std::string& text) { absl::StrAppend(&out, "\n", text, "\n"); }

void AddGaps(std::string& out, const google::protobuf::RepeatedPtrField<CoverageGap>& gaps, Language language) {
  std::map<std::string, std::vector<const CoverageGap*>> by_code;
  for (const CoverageGap& gap : gaps) by_code[gap.code()].push_back(&gap);
  for (const auto& [code, hosts] : by_code) {
    Line(out, 2, absl::StrCat(HasMessage("code." + code) ? TextOf(language, "code." + code) : code, " (",
                              hosts.size(), ")"));
    for (const CoverageGap* gap : hosts) Line(out, 4, absl::StrCat(gap->host(), " — ", gap->reason()));
  }
}

void AddExceptions(std::string& out, const RunView& run, Language language) {
  std::string lines;
  size_t count = 0;
  for (const auto& target : run.targets()) {
    // One that waits with a reason does not just wait for its turn.
    const bool in_turn = target.state() == model::v1::TARGET_STATE_WAITING && target.reason().empty() && target.code().empty();
    if (in_turn || target.state() == model::v1::TARGET_STATE_SUCCEEDED || target.state() == model::v1::TARGET_STATE_ACTIVE) {
      continue;
    }
    count += 1;
    std::string reason = target.reason().empty() ? target.code() : target.reason();
    if (reason.empty()) reason = Say(language, "situation.noreason");
    Line(lines, 2, absl::StrCat(target.host(), " [", target.stage(), target.step().empty() ? "" : "/", target.step(),
                                "] ", Word(language, "target", target.state()), " — ", reason));
    if (!target.hint().empty()) Line(lines, 4, Say(language, "situation.hint", target.hint()));
  }
  Heading(out, Say(language, "situation.exceptions", count));
  if (count == 0) Line(lines, 2, Say(language, "situation.none"));
  out += lines;
}

// Each host once, whatever number of stages it is left out of.
void AddExclusions(std::string& out, const RunView& run, Language language) {
  std::set<std::pair<std::string, std::string>> seen;
  std::string lines;
  for (const auto& exclusion : run.exclusions()) {
    if (!seen.emplace(exclusion.host(), exclusion.reason()).second) continue;
    Line(lines, 2, absl::StrCat(exclusion.host(), " — ", exclusion.reason()));
  }
  Heading(out, Say(language, "situation.exclusions", seen.size()));
  if (seen.empty()) Line(lines, 2, Say(language, "situation.none"));
  out += lines;
}

}  // namespace

std::string Percent(uint32_t part, uint32_t whole, Language language) {
  if (whole == 0) return "-";
  uint64_t tenths = static_cast<uint64_t>(part) * 1000 / whole;  // Rounded down: 100.0 only for all of them.
  return absl::StrCat(tenths / 10, language == Language::kFrench ? "," : ".", tenths % 10);
}

std::string RunReport(const RunView& run, const ReportOptions& options) {
  const Language language = options.language;
  std::string out;
  Line(out, 0, Say(language, "situation.title", run.id(), run.workflow()));
  if (run.exercise()) Line(out, 0, Say(language, "situation.exercise"));
  Line(out, 0, Say(language, "situation.printed", TimeText(options.now, options)));
  out += '\n';
  Line(out, 0, Say(language, "situation.state", Word(language, "run", run.state())));
  if (run.state() == model::v1::RUN_STATE_PAUSED) {
    Line(out, 0, Say(language, "situation.paused", TextOf(language, "pause." + run.pause_code()), run.pause_reason()));
  }
  Line(out, 0, Say(language, "situation.plan", run.plan_id(), run.round()));
  Line(out, 0, Say(language, "situation.started", TimeText(run.started_ms(), options), run.started_by()));
  run.ended_ms() != 0 ? Line(out, 0, Say(language, "situation.ended", TimeText(run.ended_ms(), options)))
                      : Line(out, 0, Say(language, "situation.expires", TimeText(run.expires_ms(), options)));
  const auto& counts = run.counts();
  Line(out, 0, Say(language, "situation.counts", counts.total(), counts.succeeded(), counts.failed(), counts.active(),
                   counts.waiting(), counts.deferred(), counts.skipped() + counts.cancelled() + counts.expired()));

  Heading(out, Say(language, "situation.stages"));
  for (const auto& stage : run.stages()) {
    Line(out, 2, Say(language, "situation.stage", stage.name(), Word(language, "stage", stage.state())));
    for (const std::string& unmet : stage.waits_for()) Line(out, 4, Say(language, "situation.waits", unmet));
    for (const auto& wave : stage.waves()) {
      const std::string failures =
          wave.counts().failed() == 0 ? "" : Say(language, "situation.failures", wave.counts().failed());
      Line(out, 4, Say(language, "situation.wave", wave.name(), Word(language, "wave", wave.state()),
                       wave.counts().succeeded(), wave.counts().total(), failures));
    }
  }
  if (!run.gates().empty()) Heading(out, Say(language, "situation.gates"));
  for (const auto& gate : run.gates()) {
    Line(out, 2, Say(language, "situation.gate", gate.name(), Word(language, "gate", gate.state()), gate.question(),
                     gate.signers_size(), gate.quorum()));
  }
  AddExceptions(out, run, language);
  AddExclusions(out, run, language);
  return out;
}

std::string CoverageReport(const operators::v1::CoverageView& coverage, const ReportOptions& options) {
  const Language language = options.language;
  std::string out;
  Line(out, 0, Say(language, "coverage.title", coverage.claim()));
  Line(out, 0, Say(language, "situation.printed", TimeText(options.now, options)));
  out += '\n';
  if (coverage.inventory() == 0) {
    Line(out, 0, Say(language, "coverage.empty"));
  } else {
    Line(out, 0, Say(language, "coverage.line", coverage.holds(), coverage.inventory(),
                     Percent(coverage.holds(), coverage.inventory(), language)));
  }
  Line(out, 0, Say(language, "coverage.selector", coverage.selector()));
  Line(out, 0, Say(language, "coverage.detail", coverage.holds(), coverage.fails(), coverage.unknown(),
                   coverage.exempt()));
  if (coverage.gaps().empty() && coverage.inventory() > 0) Line(out, 0, Say(language, "coverage.whole"));
  if (!coverage.gaps().empty()) {
    Line(out, 0, Say(language, "coverage.unknown"));
    Heading(out, Say(language, "coverage.gaps", coverage.gaps_size()));
    AddGaps(out, coverage.gaps(), language);
  }
  if (!coverage.exemptions().empty()) {
    Heading(out, Say(language, "coverage.exempt", coverage.exemptions_size()));
    AddGaps(out, coverage.exemptions(), language);
  }
  return out;
}

std::string BoardReport(const operators::v1::BoardView& board, const ReportOptions& options) {
  const Language language = options.language;
  std::string out;
  Line(out, 0, Say(language, "board.title", board.applications_size()));
  Line(out, 0, Say(language, "situation.printed", TimeText(options.now, options)));
  if (board.applications().empty()) Line(out, 0, Say(language, "board.empty"));
  for (const auto& application : board.applications()) {
    Heading(out, Say(language, "board.application", application.name(), Word(language, "app", application.stage())));
    for (const auto& rung : application.rungs()) {
      Line(out, 2, Say(language, "board.rung", Word(language, "app", rung.stage()),
                       Word(language, "claim", rung.state()), TimeText(rung.at_ms(), options), rung.host()));
      if (!rung.detail().empty()) Line(out, 4, rung.detail());
    }
  }
  return out;
}

}  // namespace reprise::report
