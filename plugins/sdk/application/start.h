// Actions `start` and `stop`: the application's service on its restored bases. It starts on no others, and is started only
// once it answers its checks.
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/application/standing.h"

namespace reprise::sdk::application {

inline std::vector<std::string> ServicePaths() {
  return {"/var/lib", "/srv", "/etc/service", "/etc/runit", "/etc/systemd/system", "/run"};
}

// Returns once the checks pass; throws Error "unhealthy".
inline void WaitForChecks(const Context& context, const Profile& profile, const Postgres& postgres,
                          const std::vector<Check>& checks, std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + std::min(wait, context.TimeLeft());
  while (true) {
    const Checked checked = RunChecks(context, profile, postgres, checks, /*fresh=*/false);
    if (checked.passed()) return;
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("unhealthy", LookAtService(context, profile, postgres).text + "; " + checked.Summary(),
                  "look at the service's own log on this host");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

class Start : public Action {
 public:
  explicit Start(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "start",
            .summary = "Start the application on its restored bases, and have it answer its checks",
            .undoable = true,
            .needs = {.network = true, .paths = ServicePaths()},
            .timeout = "10m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Duration("wait").Default("1m").About("How long it may take until its checks pass")}};
  }

  ProbeResult Probe(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, Standing::WasAsked(adapter_.plugin, profile));
    const bool wanted = IsInstalled(Services(context), profile.service.spec);
    if (!wanted) standing.evidence.push_back({"service", "its service is not as the profile has it"});
    const bool holds = wanted && Runs(standing);
    return {.holds = holds,
            .summary = holds ? standing.service.text : !wanted ? "service is not as the profile has it" : standing.ladder.why_not(),
            .evidence = std::move(standing.evidence),
            .claims = standing.ladder.claims()};
  }

  PlanResult Plan(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const ServiceSpec& spec = profile.service.spec;
    const Services services(context);
    const ServiceState state = services.State(spec.name);
    if (IsInstalled(services, spec) && Runs(Standing::Of(context, adapter_.plugin, profile, false))) return {{}, "it runs already"};
    return {{{"service " + spec.name, std::string(NameOf(state)), "running at " + profile.service.address}}, "start one service"};
  }

  ApplyResult Apply(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const ServiceSpec& spec = profile.service.spec;
    const Services services(context);
    const Postgres postgres(context, profile.cluster);
    if (!profile.modules.empty()) {
      if (!postgres.IsMade()) throw Error("not_restored", "there is no cluster in " + profile.cluster.folder, "restore its data first");
      if (!postgres.Answers()) postgres.BringUp(profile);
      const Looked bases = LookAtBases(context, profile, postgres);
      if (bases.state != ClaimState::kHolds) throw Error("not_restored", "the application is not started on bases that are not proven: " + bases.text);
    }
    const ServiceState before = services.State(spec.name);
    const bool installed = IsInstalled(services, spec);
    if (installed && before == ServiceState::kRunning &&
        RunChecks(context, profile, postgres, profile.service.checks, false).passed()) {
      return {false, "it runs already"};
    }
    const Notes notes(adapter_.plugin);
    if (!notes.Get(Key(profile))) notes.Put(Key(profile), {{"before", NameOf(before)}});
    context.Progress(0.2, "starting " + spec.name);
    MakeFolders(spec);
    Install(context, services, spec);
    if (services.State(spec.name) != ServiceState::kRunning) services.Start(spec.name);
    context.Progress(0.5, "waiting for its checks");
    WaitForChecks(context, profile, postgres, profile.service.checks, context.Duration("wait"));
    return {true, spec.name + " was " + std::string(NameOf(before)) + ", runs at " + profile.service.address};
  }

  VerifyResult Verify(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    Standing standing = Standing::Of(context, adapter_.plugin, profile, Standing::WasAsked(adapter_.plugin, profile));
    const bool holds = Runs(standing);
    return {.holds = holds,
            .summary = holds ? standing.service.text : standing.ladder.why_not(),
            .evidence = std::move(standing.evidence),
            .claims = standing.ladder.claims()};
  }

  RollbackResult Rollback(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const ServiceSpec& spec = profile.service.spec;
    const Notes notes(adapter_.plugin);
    const auto note = notes.Get(Key(profile));
    if (!note) return {"nothing to undo: this step started nothing on this host"};
    const Services services(context);
    std::string summary = "it runs as before";
    if (note->value("before", "") == "missing") {
      Uninstall(context, services, spec);
      summary = "service " + spec.name + " taken away";
    } else if (note->value("before", "") != "running" && services.State(spec.name) == ServiceState::kRunning) {
      services.Stop(spec.name);
      summary = "service " + spec.name + " stopped";
    }
    notes.Forget(Key(profile));
    return {summary};
  }

 private:
  // The rungs up to in_test; those above are claimed, but are not what this action is for.
  static bool Runs(const Standing& standing) {
    for (const Claim& claim : standing.ladder.claims()) {
      const bool above = claim.name.find(NameOf(Rung::kDegradedNoInterface)) != std::string::npos;
      if (!above && claim.state != ClaimState::kHolds) return false;
    }
    return true;
  }
  static std::string Key(const Profile& profile) { return "start-" + profile.name; }

  static void MakeFolders(const ServiceSpec& spec) {
    const auto make = [&](const std::string& path, bool writes) {
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) return;
      if (path.rfind("/var/lib/", 0) != 0 && path.rfind("/srv/", 0) != 0) {
        throw Error("no_folder", path + " is not there, and service " + spec.name + " needs it", "install what brings it");
      }
      MakeOpenFolder(path);
      const passwd* user = writes ? getpwnam(spec.user.c_str()) : nullptr;
      if (writes && (user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)) {
        throw Error("no_user", "user " + spec.user + " is not on this host, or may not own " + path);
      }
    };
    for (const std::string& path : spec.reads) make(path, false);
    for (const std::string& path : spec.writes) make(path, true);
  }

  const Adapter& adapter_;
};

class Stop : public Action {
 public:
  explicit Stop(const Adapter& adapter) : adapter_(adapter) {}

  ActionInfo Describe() const override {
    return {.name = "stop",
            .summary = "Stop the application in its order; its bases too, if asked",
            .undoable = true,
            .needs = {.network = true, .paths = ServicePaths()},
            .timeout = "10m",
            .memory_mb = 512,
            .params = {ProfileParam(adapter_), ProfileFileParam(),
                       Boolean("cluster").Default(false).About("Stop the cluster of its bases as well")}};
  }

  ProbeResult Probe(Context& context) override {
    VerifyResult looked = Verify(context);
    return {.holds = looked.holds, .summary = looked.summary, .evidence = looked.evidence, .claims = looked.claims};
  }

  PlanResult Plan(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    PlanResult plan;
    for (const std::string& name : Names(context, profile)) {
      const ServiceState state = Services(context).State(name);
      if (!IsDown(state)) plan.changes.push_back({"service " + name, std::string(NameOf(state)), "stopped"});
    }
    plan.summary = plan.changes.empty() ? "nothing to do" : "stop " + std::to_string(plan.changes.size()) + " services";
    return plan;
  }

  ApplyResult Apply(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const Services services(context);
    const Notes notes(adapter_.plugin);
    std::string stopped;
    for (const std::string& name : Names(context, profile)) {
      const ServiceState state = services.State(name);
      if (IsDown(state)) continue;
      if (state == ServiceState::kUnknown && services.supervisor() != Supervisor::kNone) {
        throw Error("service_failed", "the supervisor does not say whether service " + name + " runs");
      }
      Json note = notes.Get(Key(profile)).value_or(Json{{"stopped", Json::array()}});
      note["stopped"].push_back(name);
      notes.Put(Key(profile), note);
      context.Progress(0.3, "stopping " + name);
      if (name == profile.cluster.service) Postgres(context, profile.cluster).EndSessions();
      services.Stop(name, std::chrono::seconds(60));
      stopped += (stopped.empty() ? "" : ", then ") + name;
    }
    return {!stopped.empty(), stopped.empty() ? "nothing ran" : "stopped " + stopped};
  }

  VerifyResult Verify(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    VerifyResult result;
    result.holds = true;
    for (const std::string& name : Names(context, profile)) {
      const ServiceState state = Services(context).State(name);
      const std::string text = "service " + name + " is " + std::string(NameOf(state));
      result.holds = result.holds && IsDown(state);
      result.summary += (result.summary.empty() ? "" : "; ") + text;
      result.evidence.push_back({"service", text});
    }
    const HttpAnswer answer = Get(context, profile.service.address, "/", std::chrono::seconds(2));
    result.evidence.push_back({"socket", profile.service.address + (answer.status == 0 ? ": " + answer.why_not : " answers")});
    if (result.holds && answer.status != 0) {
      result.holds = false;
      result.summary += "; but somebody answers at " + profile.service.address;
    }
    if (result.holds) {
      result.claims.push_back({std::string(adapter_.plugin) + "." + std::string(NameOf(Rung::kInTest)), ClaimState::kFails, "stopped"});
    }
    return result;
  }

  RollbackResult Rollback(Context& context) override {
    const Profile profile = ProfileOf(context, adapter_);
    const Notes notes(adapter_.plugin);
    const auto note = notes.Get(Key(profile));
    if (!note) return {"nothing to undo: this step stopped nothing on this host"};
    const Services services(context);
    std::vector<std::string> names = note->value("stopped", std::vector<std::string>());
    std::reverse(names.begin(), names.end());
    for (const std::string& name : names) {
      if (services.State(name) != ServiceState::kRunning) services.Start(name);
    }
    notes.Forget(Key(profile));
    return {std::to_string(names.size()) + " services run again"};
  }

 private:
  static bool IsDown(ServiceState state) {
    return state == ServiceState::kStopped || state == ServiceState::kMissing || state == ServiceState::kFailed;
  }
  static std::string Key(const Profile& profile) { return "stop-" + profile.name; }
  static std::vector<std::string> Names(const Context& context, const Profile& profile) {
    std::vector<std::string> names;
    for (const std::string& part : profile.stop_order) {
      if (part == "service") names.push_back(profile.service.spec.name);
      if (part == "cluster" && context.Param<bool>("cluster")) names.push_back(profile.cluster.service);
    }
    return names;
  }

  const Adapter& adapter_;
};

}  // namespace reprise::sdk::application
