// One action of a plugin: a class for each, in this order of concern:
//
//   Describe  what it is, before anything runs
//   Probe     looks, changes nothing: does the desired state hold? With evidence.
//   Plan      what Apply would change, for a person to read. Changes nothing.
//   Apply     does it. Safe to call when it is done already (then changed = false), and after being killed at any point.
//   Verify    proves it, by another way than the one that did it (ask the service, not its configuration)
//   Rollback  undoes it; afterwards Probe does not hold
//
// For probe, plan and verify the host's file system is read-only: writing there fails with EROFS. A verb that cannot be
// done throws Error. An object is made for each verb: keep no state in it, keep it on the host.
#pragma once

#include <string>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/error.h"
#include "plugins/sdk/params.h"
#include "plugins/sdk/results.h"

namespace reprise::sdk {

enum class Effect { kRead, kChange, kDestroy };

struct Needs {
  bool root = true;
  // False: every verb of the action runs without network, not even 127.0.0.1 (sockets in the file system still work).
  bool network = false;
  // True: /proc and /dev/shm are the host's, so that its processes are seen; apply and rollback may end them. Otherwise a
  // verb sees its own processes only.
  bool processes = false;
  // What apply and rollback may write: these and what is below them.
  std::vector<std::string> paths;
};

struct ActionInfo {
  std::string name;
  std::string summary;
  Effect effect = Effect::kChange;
  bool undoable = false;
  bool idempotent = true;
  Needs needs;
  std::string timeout = "5m";
  int memory_mb = 512;          // Address space of the verb and of each program that it starts.
  bool protected_class = false; // May run on medical devices and other protected classes only by their own rules.
  bool restores = false;        // Restores data from a backup: has the parameter manifest_sha256, and is held to a verdict.
  Params params;
};

class Action {
 public:
  virtual ~Action() = default;
  virtual ActionInfo Describe() const = 0;
  virtual ProbeResult Probe(Context& context) = 0;
  virtual PlanResult Plan(Context& context) { return NotOffered<PlanResult>(context); }
  virtual ApplyResult Apply(Context& context) { return NotOffered<ApplyResult>(context); }
  virtual VerifyResult Verify(Context& context) { return NotOffered<VerifyResult>(context); }
  virtual RollbackResult Rollback(Context& context) { return NotOffered<RollbackResult>(context); }

 private:
  template <typename Result>
  static Result NotOffered(Context& context) {
    throw Error("unsupported_verb", "this action does not offer " + context.verb());
  }
};

// An action that only looks: Probe is all of it. Describe says Effect::kRead.
class ReadAction : public Action {
 public:
  PlanResult Plan(Context&) final { return {{}, "reads only: nothing would change"}; }
  ApplyResult Apply(Context&) final { return {false, "reads only: nothing to do"}; }
  VerifyResult Verify(Context& context) final {
    ProbeResult probe = Probe(context);
    return {probe.holds, std::move(probe.summary), std::move(probe.evidence), std::move(probe.claims),
            std::move(probe.verdicts), std::move(probe.measures)};
  }
};

}  // namespace reprise::sdk
