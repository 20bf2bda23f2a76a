// What `reprise coverage` and `reprise report coverage` have in common: which claim, over which hosts, how old at most.
#pragma once

#include <string>

#include "core/cli/command_line.h"
#include "core/cli/context.h"
#include "core/cli/exit_codes.h"

namespace reprise::cli {

struct CoverageFlags {
  std::string claim;
  std::string selector;
  int64_t max_age_ms = 0;

  void Declare(CommandLine& app);
  // Usage error: the selector does not parse.
  absl::StatusOr<ops::CoverageView> Ask(Context& context) const;
};

// 0 when everyone is covered; nobody out of nobody is not everyone.
ExitCode ExitCodeOfCoverage(const ops::CoverageView& coverage);

}  // namespace reprise::cli
