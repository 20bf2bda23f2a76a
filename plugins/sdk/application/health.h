// Actions that look at the running application, and the one that marks it as degraded without interfaces.
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/kept.h"
#include "plugins/sdk/application/standing.h"
#include "plugins/sdk/application/start.h"

namespace reprise::sdk::application {

// Where the application stands, from its bases to its interfaces.
class Health : public ReadAction {
 public:
  explicit Health(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "health",
            .summary = "Where the application stands: bases, service, interfaces, acceptance",
            .effect = Effect::kRead,
            .needs = {.network = true},
            .timeout = "5m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam()}};
  }

  ProbeResult Probe(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, Standing::WasAsked(adapter_.plugin, profile));
    Json observed = Json::object();
    for (const Claim& claim : standing.ladder.claims()) observed[claim.name] = NameOf(claim.state);
    return {.holds = standing.ladder.holds(),
            .summary = standing.ladder.holds() ? standing.service.text : standing.ladder.why_not(),
            .observed = std::move(observed),
            .evidence = std::move(standing.evidence),
            .claims = standing.ladder.claims()};
  }

 private:
  const Adapter& adapter_;
};

// The application is told to run without interfaces, and it is proven that none of the profile's listens or is connected.
// The proof is of sockets of this host; that packets of others are refused is proven by the bubble.
class Degraded : public Action {
 public:
  explicit Degraded(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "degraded",
            .summary = "Mark degraded mode without interfaces, and prove that none is open",
            .undoable = true,
            .needs = {.network = true, .paths = ServicePaths()},
            .timeout = "10m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Duration("wait").Default("1m").About("How long it may take until its checks pass again")}};
  }

  ProbeResult Probe(Context& context) override {
    const Profile profile = SeenProfile(context);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, true);
    const bool marked = IsMarked(profile);
    const bool holds = marked && standing.service.state == ClaimState::kHolds && standing.interfaces.state == ClaimState::kHolds;
    return {.holds = holds,
            .summary = holds ? standing.interfaces.text : !marked ? "not marked as degraded" : standing.interfaces.text + "; " + standing.service.text,
            .evidence = std::move(standing.evidence),
            // Before it is marked, nobody has decided that this is how it runs.
            .claims = marked ? standing.ladder.claims() : std::vector<Claim>()};
  }

  PlanResult Plan(Context& context) override {
    const Profile profile = SeenProfile(context);
    PlanResult plan;
    if (!Notes(adapter_.plugin).Get(DegradedKey(profile))) plan.changes.push_back({"mode of " + profile.name, "", "degraded, without interfaces"});
    if (profile.degraded && !IsAsWanted(*profile.degraded)) {
      plan.changes.push_back({"file " + profile.degraded->path, "", "as the profile has it; the service starts anew"});
    }
    if (plan.changes.empty() && !Probe(context).holds) plan.changes.push_back({"service " + profile.service.spec.name, "", "started anew"});
    plan.summary = plan.changes.empty() ? "nothing to do" : "mark degraded mode";
    return plan;
  }

  ApplyResult Apply(Context& context) override {
    const Profile profile = SeenProfile(context);
    const Services services(context);
    const std::string& name = profile.service.spec.name;
    if (services.State(name) != ServiceState::kRunning) {
      throw Error("not_running", "service " + name + " is " + std::string(NameOf(services.State(name))), "start it first");
    }
    const Notes notes(adapter_.plugin);
    const bool marked = IsMarked(profile);
    if (marked && Probe(context).holds) return {false, "already marked, no interface open"};
    if (profile.degraded && !IsAsWanted(*profile.degraded)) {
      WriteKept(notes, FileKey(profile), {*profile.degraded});
      context.Progress(0.3, "starting " + name + " anew in degraded mode");
    }
    // It may have been killed between file and start: what runs is made sure of.
    if (profile.degraded && !RunChecks(context, profile, Postgres(context, profile.cluster), profile.degraded_checks, false).passed()) {
      services.Restart(name, std::chrono::seconds(60));
    }
    const Postgres postgres(context, profile.cluster);
    WaitForChecks(context, profile, postgres, profile.service.checks, context.Duration("wait"));
    WaitForChecks(context, profile, postgres, profile.degraded_checks, context.Duration("wait"));
    NeedNoInterface(profile);
    notes.Put(DegradedKey(profile), {{"service", name}});
    return {true, "degraded mode without interfaces"};
  }

  VerifyResult Verify(Context& context) override {
    ProbeResult looked = Probe(context);
    return {.holds = looked.holds, .summary = looked.summary, .evidence = std::move(looked.evidence), .claims = std::move(looked.claims)};
  }

  RollbackResult Rollback(Context& context) override {
    const Profile profile = SeenProfile(context);
    const Notes notes(adapter_.plugin);
    const bool was = notes.Forget(DegradedKey(profile));
    if (BringBack(notes, FileKey(profile)) && Services(context).State(profile.service.spec.name) == ServiceState::kRunning) {
      Services(context).Restart(profile.service.spec.name, std::chrono::seconds(60));
    }
    return {was ? "no longer marked as degraded" : "nothing to undo: this step marked nothing on this host"};
  }

 protected:
  // The profile as it is to be looked at. An adapter that opens interfaces leaves out those that people have opened: they are
  // no fault of degraded mode, but the rung above it.
  virtual Profile SeenProfile(const Context& context) const { return ProfileOf(context, adapter_); }

 private:
  bool IsMarked(const Profile& profile) const {
    return Notes(adapter_.plugin).Get(DegradedKey(profile)).has_value() && (!profile.degraded || IsAsWanted(*profile.degraded));
  }
  static std::string FileKey(const Profile& profile) { return "degraded-file-" + profile.name; }
  static void NeedNoInterface(const Profile& profile) {
    const Looked interfaces = LookAtInterfaces(profile, SocketsHere());
    if (interfaces.state == ClaimState::kFails) {
      throw Error("interface_open", interfaces.text, "close the flow, or stop what listens there");
    }
    if (interfaces.state == ClaimState::kUnknown) throw Error("not_looked_at", interfaces.text);
  }

  const Adapter& adapter_;
};

}  // namespace reprise::sdk::application
