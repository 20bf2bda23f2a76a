#include <poll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/stop_view.h"
#include "core/cli/progress_bar.h"

namespace reprise::cli {
namespace {

constexpr int kLookEveryMs = 100;

struct StopRaiseFlags {
  std::string reason;
  int64_t wait_ms = 5'000;
};

bool Whole(const ops::StopView& stop) { return stop.confirmed() >= stop.asked(); }

// Asks nothing: who calls this has no time to answer.
absl::StatusOr<int> Run(Context& context, const StopRaiseFlags& flags) {
  ASSIGN_OR_RETURN(Client* client, context.client());
  ops::StopRequest request;
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(auto stop, client->Call<ops::StopView>("RaiseStop", request));
  {
    ProgressBar bar(context.terminal, "confirmed", stop.asked(), Unit::kCount, context.clock.Now());
    for (int64_t waited = 0; !Whole(stop) && waited < flags.wait_ms; waited += kLookEveryMs) {
      bar.Show(stop.confirmed(), context.clock.Now());
      poll(nullptr, 0, static_cast<int>(std::min<int64_t>(kLookEveryMs, flags.wait_ms - waited)));
      // The stop is raised; not to hear of it is no reason to say that it is not.
      auto looked = client->Call<ops::StopView>("GetStop", ops::Empty());
      if (!looked.ok()) break;
      stop = *std::move(looked);
    }
  }
  if (context.json()) {
    context.PrintJson(stop);
  } else {
    PrintStop(context, stop);
    if (!Whole(stop)) {
      context.Say(
          absl::StrCat("  ", stop.asked() - stop.confirmed(),
                       " have not confirmed yet: `reprise stop show` tells when they do; a host that is cut off "
                       "goes on with what it began until it is reached or powered off"));
    }
  }
  return Whole(stop) ? kExitOk : kExitPartial;
}

}  // namespace

Action DeclareStopRaise(CommandLine& app) {
  auto flags = std::make_shared<StopRaiseFlags>();
  app.Option("--reason", flags->reason, "Why; it stands in the journal").Required().TypeName("TEXT");
  app.Duration("--wait", flags->wait_ms, "How long to wait for the agents' confirmations (5s)");
  app.Footer(
      "Asks nothing and acts at once: every action is killed, none begins, every run is paused. Whoever may sign a "
      "plan may\n"
      "do it. Exit code 6 when not every connected agent has confirmed in time.\n\n"
      "Examples:\n"
      "  reprise stop raise --reason \"workstations lose their network\"");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
