// Follows a run until it ends: bars that move where a person looks on, plain lines where something changes on a pipe,
// one JSON view a line with -o json.
#pragma once

#include <string>
#include <vector>

#include "core/cli/commands/live_lines.h"
#include "core/cli/context.h"

namespace reprise::cli {

// Exit code of the run's end (run_view.h). DEADLINE_EXCEEDED: --timeout passed first; UNAVAILABLE: the watch was cut,
// and the run goes on without it.
absl::StatusOr<int> WatchRun(Context& context, uint64_t run);

// What changes between two views of a run, told in lines; and the bars. For WatchRun, and for tests of it.
class RunTeller {
 public:
  // `context` outlives it.
  explicit RunTeller(Context& context) : context_(context), live_(context.terminal) {}

  void Tell(const ops::RunView& run);
  // Takes the bars away, for good.
  void Finish() { live_.Clear(); }

 private:
  static constexpr UnixMs kCountsEvery = 2'000;

  std::vector<std::string> Changes(const ops::RunView& run) const;
  std::vector<std::string> Bars(const ops::RunView& run) const;

  Context& context_;
  LiveLines live_;
  bool told_ = false;
  ops::RunView last_;
  std::string counts_;
  UnixMs counts_at_ = 0;
};

}  // namespace reprise::cli
