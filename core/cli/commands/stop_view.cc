#include "core/cli/commands/stop_view.h"

#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::cli {

void PrintStop(Context& context, const ops::StopView& stop) {
  if (stop.raised_ms() == 0) return context.Say("no emergency stop was ever raised");
  context.Say(stop.active() ? context.terminal.Paint("EMERGENCY STOP IN FORCE", Color::kBad)
                            : std::string("no emergency stop is in force; the newest:"));
  context.Say(
      absl::StrCat("  raised     ", FormatTime(stop.raised_ms()), " by ", stop.by(), ": ", OneLine(stop.reason())));
  const bool all = stop.confirmed() >= stop.asked();
  context.Say(absl::StrCat(
      "  confirmed  ",
      context.terminal.Paint(absl::StrCat(stop.confirmed(), " of ", stop.asked()), all ? Color::kGood : Color::kBad),
      " connected agents; ", stop.killed(), " action(s) killed"));
  if (stop.confirmed() > 0) {
    context.Say(absl::StrCat("  latency    p50 ", stop.latency_p50_ms(), " ms, max ", stop.latency_max_ms(),
                             " ms, from the order to the agent's word that nothing runs"));
  }
}

}  // namespace reprise::cli
