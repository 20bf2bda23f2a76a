// The test protocol of an application and its acceptance by the service's owner. `protocol` runs it and shows the results;
// `accept` records that a named person accepted, and only where the protocol passes on the very data that he names. Who may
// accept is decided by the signed gate before the step; this action holds the acceptance to the data.
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/standing.h"

namespace reprise::sdk::application {

inline const Protocol& ProtocolOf(const Profile& profile) {
  if (!profile.protocol) throw Error("no_protocol", "profile " + profile.name + " has no test protocol", "give it one: protocol");
  return *profile.protocol;
}

inline Checked RunProtocol(const Context& context, const Profile& profile, const Postgres& postgres) {
  Checked checked;
  for (const Module& module : profile.modules) checked.Add(RunChecks(context, profile, postgres, module.checks, false));
  checked.Add(RunChecks(context, profile, postgres, ProtocolOf(profile).checks, false));
  return checked;
}

class RunsProtocol : public ReadAction {
 public:
  explicit RunsProtocol(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "protocol",
            .summary = "Run the test protocol on the restored bases and the running service",
            .effect = Effect::kRead,
            .needs = {.network = true},
            .timeout = "15m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam()}};
  }

  ProbeResult Probe(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const Postgres postgres(context, profile.cluster);
    const Protocol& protocol = ProtocolOf(profile);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, false);
    const Checked checked = RunProtocol(context, profile, postgres);
    std::vector<Evidence> evidence = checked.AsEvidence();
    Json manifests = Json::object();
    for (const Module& module : profile.modules) {
      const BaseFound base = LookAtBase(context, postgres, module);
      if (base.state == BaseState::kRestored) manifests[module.name] = base.mark.manifest_sha256;
      evidence.push_back({"base", module.name + "=" + (base.mark.manifest_sha256.empty() ? "(not restored)" : base.mark.manifest_sha256)});
    }
    return {.holds = standing.ladder.holds() && checked.passed(),
            .summary = "protocol " + protocol.id + " for " + protocol.owner + ": " + checked.Summary(),
            .observed = {{"protocol", protocol.id}, {"manifests", manifests}},
            .evidence = std::move(evidence),
            .claims = standing.ladder.claims()};
  }

 private:
  const Adapter& adapter_;
};

class Accept : public Action {
 public:
  explicit Accept(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "accept",
            .summary = "Record the owner's acceptance of these very data, where the protocol passes on them",
            .undoable = true,
            .needs = {.network = true, .paths = {std::string("/var/lib/reprise-plugins/") + adapter_.plugin}},
            .timeout = "15m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Text("owner").Required().AtMost(200).About("Who accepts: the owner of the service"),
                       Name("protocol").Required().About("Which protocol; it must be the profile's"),
                       Text("reference").Required().AtMost(200).About("Where the signed record is: decision, paper, file"),
                       List("manifests").Required().AtMost(50)
                           .Like("^[A-Za-z0-9][A-Za-z0-9._+:@-]*=[0-9a-f]{64}$", "MODULE=SHA-256, the hash as 64 lower-case hexadecimal digits")
                           .About("MODULE=SHA-256 of the manifest, for each module")}};
  }

  ProbeResult Probe(Context& context) override {
    const Profile profile = SeenProfile(context);
    ProtocolOf(profile);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, true);
    const bool noted = Notes(adapter_.plugin).Get(AcceptanceKey(profile)).value_or(Json()) == Wanted(context);
    const bool holds = noted && standing.ladder.holds();
    return {.holds = holds,
            .summary = holds ? "accepted: " + standing.interfaces.text : !noted ? "this acceptance is not recorded here" : standing.ladder.why_not(),
            .evidence = std::move(standing.evidence),
            .claims = standing.ladder.claims()};
  }

  PlanResult Plan(Context& context) override {
    const Profile profile = SeenProfile(context);
    if (Notes(adapter_.plugin).Get(AcceptanceKey(profile)).value_or(Json()) == Wanted(context)) return {{}, "already recorded"};
    return {{{"acceptance of " + profile.name, "", "by " + context.Param("owner") + ", reference " + context.Param("reference")}},
            "record one acceptance"};
  }

  ApplyResult Apply(Context& context) override {
    const Profile profile = SeenProfile(context);
    const Postgres postgres(context, profile.cluster);
    const Notes notes(adapter_.plugin);
    const Json wanted = Wanted(context);
    if (wanted["protocol"] != ProtocolOf(profile).id) {
      throw Error("other_protocol", "accepted was protocol " + context.Param("protocol") + ", the profile's is " + profile.protocol->id);
    }
    for (const Module& module : profile.modules) {
      const BaseFound base = LookAtBase(context, postgres, module);
      if (base.state != BaseState::kRestored) throw Error("not_restored", "module " + module.name + " is not restored here: " + base.why);
      const std::string accepted = wanted["manifests"].value(module.name, "(nothing)");
      if (accepted != base.mark.manifest_sha256) {
        throw Error("wrong_copy", "module " + module.name + " was restored from " + base.mark.manifest_sha256.substr(0, 16) +
                                      "…, accepted was " + accepted.substr(0, 16),
                    "the acceptance is of other data: have these tested and accepted");
      }
    }
    if (wanted["manifests"].size() != profile.modules.size()) throw Error("bad_params", "parameter manifests names modules that the profile does not have");
    const Standing standing = Standing::Of(context, adapter_.plugin, profile, true);
    if (standing.service.state != ClaimState::kHolds) throw Error("not_running", standing.service.text, "start it first");
    if (standing.interfaces.state != ClaimState::kHolds) throw Error("interface_open", standing.interfaces.text);
    const Checked checked = RunProtocol(context, profile, postgres);
    if (!checked.passed()) throw Error("protocol_failed", "protocol " + profile.protocol->id + ": " + checked.Summary(), "nothing is recorded as accepted");
    if (notes.Get(AcceptanceKey(profile)).value_or(Json()) == wanted) return {false, "already recorded"};
    notes.Put(AcceptanceKey(profile), wanted);
    return {true, "accepted by " + context.Param("owner") + "; " + checked.Summary()};
  }

  // Runs the protocol once more.
  VerifyResult Verify(Context& context) override {
    ProbeResult looked = Probe(context);
    const Profile profile = SeenProfile(context);
    const Checked checked = RunProtocol(context, profile, Postgres(context, profile.cluster));
    Append(looked.evidence, checked.AsEvidence());
    VerifyResult result{.holds = looked.holds && checked.passed(), .summary = looked.summary + "; protocol: " + checked.Summary(),
                        .evidence = std::move(looked.evidence), .claims = std::move(looked.claims)};
    if (!checked.passed() && !result.claims.empty() && result.claims.back().state == ClaimState::kHolds) {
      result.claims.back() = {result.claims.back().name, StateOf(checked.Worst()), "protocol: " + checked.Summary()};
    }
    return result;
  }

  RollbackResult Rollback(Context& context) override {
    const Profile profile = SeenProfile(context);
    const Notes notes(adapter_.plugin);
    if (notes.Get(AcceptanceKey(profile)).value_or(Json()) != Wanted(context)) return {"nothing to undo: this acceptance is not recorded here"};
    notes.Forget(AcceptanceKey(profile));
    return {"the acceptance is withdrawn"};
  }

 protected:
  // The profile as it is to be looked at, as in Degraded.
  virtual Profile SeenProfile(const Context& context) const { return ProfileOf(context, adapter_); }

 private:
  // What is noted; also what is compared.
  static Json Wanted(const Context& context) {
    Json manifests = Json::object();
    for (const std::string& item : context.Param<std::vector<std::string>>("manifests")) {
      const size_t equal = item.find('=');
      if (equal == std::string::npos || !IsName(item.substr(0, equal)) || item.size() - equal - 1 != 64) {
        throw Error("bad_params", "parameter manifests has " + item.substr(0, 80) + ", expected MODULE=SHA-256");
      }
      manifests[item.substr(0, equal)] = item.substr(equal + 1);
    }
    return {{"owner", context.Param("owner")},
            {"protocol", context.Param("protocol")},
            {"reference", context.Param("reference")},
            {"manifests", manifests}};
  }

  const Adapter& adapter_;
};

}  // namespace reprise::sdk::application
