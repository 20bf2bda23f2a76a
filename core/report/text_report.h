// Reports as plain text: what is printed, read aloud in the crisis cell, or put on a USB key. No line is wider than 100
// columns unless a name or a reason is; nothing is shortened and nobody is left out. Pure.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/report/messages.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::report {

struct ReportOptions {
  Language language = Language::kFrench;
  UnixMs now = 0;
  absl::TimeZone zone = absl::UTCTimeZone();
};

// Where a run stands: stages, waves, gates, and every host that did not come through, with its reason.
// `run` with its targets.
std::string RunReport(const operators::v1::RunView& run, const ReportOptions& options);

// Coverage, with every uncovered host by name, grouped by reason, and every exempt one.
std::string CoverageReport(const operators::v1::CoverageView& coverage, const ReportOptions& options);

// How far each application is back: stage, since when, and the evidence of every rung.
std::string BoardReport(const operators::v1::BoardView& board, const ReportOptions& options);

// Share in per cent with one decimal; never 100 unless it is all of them. "-" for nothing of nothing.
std::string Percent(uint32_t part, uint32_t whole, Language language);

}  // namespace reprise::report
