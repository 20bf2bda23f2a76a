#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/gate_decision.h"
#include "core/cli/exit_codes.h"

namespace reprise::cli {
namespace {

struct GateWaiveFlags {
  GateDecision decision;
  std::string expires;
};

// "4h" from now, or "2026-11-24T09:30:00Z".
absl::StatusOr<UnixMs> ReadExpiry(const std::string& text, UnixMs now) {
  if (const auto duration = ParseDurationMs(text); duration.ok() && *duration > 0) return now + *duration;
  if (const auto time = ParseTime(text); time.ok()) {
    if (*time > now) return *time;
    return UsageError("--expires " + text + " is past; it is " + FormatTime(now));
  }
  return UsageError("--expires \"" + text +
                    "\": expected a duration such as 4h, or a time such as 2026-11-24T09:30:00Z");
}

absl::StatusOr<int> Run(Context& context, const GateWaiveFlags& flags) {
  const auto expires = ReadExpiry(flags.expires, context.clock.Now());
  if (!expires.ok()) return expires.status();
  GateDecision decision = flags.decision;
  decision.waive = true;
  decision.expires = *expires;
  return DecideGate(context, decision);
}

}  // namespace

Action DeclareGateWaive(CommandLine& app) {
  auto flags = std::make_shared<GateWaiveFlags>();
  app.Option("RUN", flags->decision.run, "The run's number").Required();
  app.Option("GATE", flags->decision.gate, "The gate's name").Required();
  app.Option("--reason", flags->decision.reason, "Why; part of what you sign").Required().TypeName("TEXT");
  app.Option("--expires", flags->expires,
                 "Until when it holds, such as 4h; then the gate closes to what has not passed it")
      .Required()
      .TypeName("WHEN");
  app.Footer(
      "Takes an admin who did not ask for the plan.\n\n"
      "Examples:\n"
      "  reprise gate waive 7 after-canary --reason \"both approvers are in theatre\" --expires 2h");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
