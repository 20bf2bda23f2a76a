// The last judge: may this host do this task now? A pure function of what people signed and of what this agent
// remembers. It does not trust the coordinator for anything but delivery.
//
// Refusal codes:
//   unsigned, bad_signature, too_few_signatures   the plan's signatures; `unsigned` also of a plan that only reads and
//                     would run, without one, more than a day ahead of this host's clock
//   bad_proof         header or leaf is not what was signed, or the plan says one effect and its steps another
//   another_plan      the host knows another plan by that id, under another statement
//   expired           by this host's clock, or a plan that was forgotten: it had expired, or was unsigned and gave way
//   wrong_host        the leaf is another host's
//   unknown_step      the leaf gives this host no such step, or there is nothing to undo
//   replayed          already done (what only looks may look again), an attempt number that does not grow, too many
//                     attempts, another run of the plan
//   keyring           the plan was made under a keyring that this agent does not have yet
//   gate_closed       people have not opened a gate in front of the step
//   zone, asset_class the plan believes the host to be elsewhere or something else
//   quarantine        changes nothing before an admission, nor in the zone quarantine
//   hold, protected_class   evidence hold; a class on which only reading is allowed
//   exercise          a rehearsal's plan on a real host, or the reverse
//   verdict           the step restores from a copy that was not proven good, or by a concession that is not good
//   stopped           emergency stop
//   plugin_unsigned   nobody signed the plan (it only reads) nor the plugin
//   busy              too many plans or attempts at once
// The runner adds plugin_hash: the library is not what the plan names; and `effect` and `verdict` where by the plugin's own
// word its action does more than the plan says of it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/engine/memory.h"
#include "core/base/clock.h"
#include "reprise/agent/v1/agent.pb.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::agents {

// What the coordinator brought for a plan, and what was kept of it: together the whole case.
struct Case {
  const Memory& memory;
  bool exercise = false;  // Of this agent.
  plan::v1::PlanAuthority authority;
  std::vector<plan::v1::SignedStatement> gates;
  plan::v1::Signature plugin_signature;  // Empty: none.
};

struct Refusal {
  std::string code;
  std::string reason;
  std::string hint;
};

// What is permitted, read from the signed bytes.
struct Permit {
  model::v1::Effect effect = model::v1::EFFECT_UNSPECIFIED;
  std::string plugin_name;
  std::string plugin_sha256;
  bool plugin_signature_needed = false;  // Nobody signed the plan: its signature must be checked before it runs.
  std::string action;
  std::string params_json;
  bool restores = false;  // From a copy that the plan names, and that was judged.
  std::vector<plan::v1::ArtifactRef> artifacts;
  int64_t timeout_ms = 0;
  uint32_t attempts_max = 0;
  std::vector<uint32_t> undone_after;  // Of an undo: the steps after whose failure this one is undone.
  UnixMs expires = 0;
  UnixMs created = 0;
  std::vector<std::string> open_gates;  // In front of the step; names.
};

using Verdict = std::variant<Permit, Refusal>;

// What the authority says of a step, taken as already judged: for an attempt that was accepted before a crash.
// DATA_LOSS when the bytes do not hold such a step.
absl::StatusOr<Permit> ReadPermit(const plan::v1::PlanAuthority& authority, const agent::v1::TaskKey& key);

// Everything but history: asked when a task comes and again just before its effect begins.
Verdict Judge(const Case& the_case, const agent::v1::TaskKey& key, UnixMs now);

// Whether a permitted attempt is new and in turn. nullptr-like empty code: it is.
Refusal JudgeHistory(const Memory& memory, const Permit& permit, const agent::v1::TaskKey& key);

// The public keys of active people who may sign plans, as minisign's base64 lines: who may have signed a plugin.
std::vector<std::string> PluginKeys(const model::Keyring& keyring);

}  // namespace reprise::agents
