// The language of a printed report, and its options: the clock's time in this machine's time zone.
#pragma once

#include <string>

#include "core/cli/command_line.h"
#include "core/cli/context.h"
#include "core/report/text_report.h"

namespace reprise::cli {

inline void AddLanguage(CommandLine& app, std::string& language) {
  app.Option("--lang", language, "fr (the default) or en").OneOf({"fr", "en"}).TypeName("LANG");
}

inline report::ReportOptions ReportOptionsFor(const Context& context, const std::string& language) {
  return {report::LanguageFromName(language).value_or(report::Language::kFrench), context.clock.Now(),
          absl::LocalTimeZone()};
}

}  // namespace reprise::cli
