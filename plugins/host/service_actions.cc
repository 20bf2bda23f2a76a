#include "plugins/host/service_actions.h"

#include <thread>

#include "plugins/sdk/notes.h"
#include "plugins/sdk/service.h"
#include "plugins/sdk/sha256.h"

namespace reprise::host {
namespace {

using namespace reprise::sdk;

Param ServiceName() {
  return Name("name").Required().About("The service, without .service");
}
Param ClaimName() {
  return Name("claim").AtMost(64).Default("host.service").About("What the host is said to fulfil");
}

bool WantsRunning(const Context& context) {
  return context.Param("state") == "running";
}

// What is not there does not run: who wants a service stopped has it so.
bool IsSo(ServiceState state, bool running) {
  if (running) return state == ServiceState::kRunning;
  return state == ServiceState::kStopped || state == ServiceState::kMissing || state == ServiceState::kFailed;
}

std::string Key(const Context& context) {
  return "service-" + Sha256OfText(context.Param("name") + "\n" + context.Param("state"));
}

// What was looked at: unknown is never taken for a state.
ProbeResult Looked(const Context& context, ServiceState state, bool holds) {
  const std::string name = context.Param("name");
  const std::string said(NameOf(state));
  const ClaimState claim = state == ServiceState::kUnknown ? ClaimState::kUnknown
                           : holds                         ? ClaimState::kHolds
                                                           : ClaimState::kFails;
  return {.holds = holds,
          .summary = "service " + name + ": " + said,
          .observed = {{"state", said}},
          .evidence = {{"service", name + ": " + said}},
          .claims = {{context.Param("claim"), claim, said}}};
}

void CheckControllable(const Context& context, const Services& services, ServiceState state) {
  const std::string name = context.Param("name");
  if (services.supervisor() == Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: service " + name + " cannot be controlled");
  }
  if (state == ServiceState::kMissing) {
    throw Error("no_service", "service " + name + " is not known to this host", "install the package that brings it");
  }
}

// A line of what the supervisor or the kernel keeps about the service: the same twice if the service was not restarted.
std::string Trace(const Context& context, const Services& services, const std::string& name) {
  if (services.supervisor() == Supervisor::kRunit) {
    return "pid " + ReadFileIfThere("/etc/service/" + name + "/supervise/pid").value_or("");
  }
  const RunResult shown = Run(
      context,
      {"systemctl", "show", "--property=MainPID,ExecMainStartTimestampMonotonic,NRestarts", "--", name + ".service"});
  return shown.out;
}

// Whether the kernel has processes of it, where that can be told.
std::string KernelSays(const Services& services, const std::string& name) {
  if (services.supervisor() == Supervisor::kSystemd) {
    const auto events = ReadFileIfThere("/sys/fs/cgroup/system.slice/" + name + ".service/cgroup.events");
    if (!events) return "";
    return events->find("populated 1") != std::string::npos ? "running" : "stopped";
  }
  const auto stat = ReadFileIfThere("/etc/service/" + name + "/supervise/stat");
  if (!stat) return "";
  return stat->rfind("run", 0) == 0 ? "running" : "stopped";
}

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

ActionInfo ServiceAction::Describe() const {
  return {.name = "service",
          .summary = "Start or stop a service (systemd, runit)",
          .undoable = true,
          .needs = {.paths = {"/var/lib/reprise-plugins/host", "/etc/service", "/etc/runit", "/run"}},
          .timeout = "5m",
          .memory_mb = 512,
          .params = {ServiceName(),
                     Text("state").OneOf({"running", "stopped"}).Default("running").About("What it should be"),
                     Duration("wait").Default("1m").About("How long it may take"),
                     Duration("settle").Default("2s").About("How long it must stay so to be proven"), ClaimName()}};
}

ProbeResult ServiceAction::Probe(Context& context) {
  const ServiceState state = Services(context).State(context.Param("name"));
  return Looked(context, state, IsSo(state, WantsRunning(context)));
}

PlanResult ServiceAction::Plan(Context& context) {
  const Services services(context);
  const ServiceState state = services.State(context.Param("name"));
  if (IsSo(state, WantsRunning(context))) return {{}, "nothing to do"};
  CheckControllable(context, services, state);
  return {{{"service " + context.Param("name"), std::string(NameOf(state)), context.Param("state")}},
          WantsRunning(context) ? "start one service" : "stop one service"};
}

ApplyResult ServiceAction::Apply(Context& context) {
  const Services services(context);
  const std::string name = context.Param("name");
  const ServiceState before = services.State(name);
  if (IsSo(before, WantsRunning(context))) return {false, "already so"};
  CheckControllable(context, services, before);
  Notes("host").Put(Key(context), {{"name", name}, {"before", NameOf(before)}});
  context.Progress(0.2, (WantsRunning(context) ? "starting " : "stopping ") + name);
  const auto wait = std::chrono::ceil<std::chrono::seconds>(context.Duration("wait"));
  WantsRunning(context) ? services.Start(name, wait) : services.Stop(name, wait);
  return {true, name + " was " + std::string(NameOf(before)) + ", is " + context.Param("state")};
}

VerifyResult ServiceAction::Verify(Context& context) {
  const Services services(context);
  const std::string name = context.Param("name");
  const bool running = WantsRunning(context);
  const ServiceState first = services.State(name);
  const std::string trace = Trace(context, services, name);
  const auto until = std::chrono::steady_clock::now() + std::min(context.Duration("settle"), context.TimeLeft() / 2);
  while (std::chrono::steady_clock::now() < until) {
    context.ThrowIfCancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const ServiceState second = services.State(name);
  const bool steady = !running || trace == Trace(context, services, name);
  const std::string kernel = KernelSays(services, name);
  const bool holds =
      IsSo(first, running) && IsSo(second, running) && steady && (kernel.empty() || kernel == context.Param("state"));
  ProbeResult looked = Looked(context, second, holds);
  looked.evidence.push_back({"service", "after " + context.Param("settle") + ": " +
                                            (steady ? "not restarted" : "restarted meanwhile") + "; " +
                                            OneLine(trace)});
  if (!kernel.empty()) looked.evidence.push_back({"kernel", name + ": " + kernel});
  return {holds, looked.summary, looked.evidence, looked.claims};
}

RollbackResult ServiceAction::Rollback(Context& context) {
  const Notes notes("host");
  const std::string name = context.Param("name");
  const std::optional<Json> note = notes.Get(Key(context));
  if (!note) return {"nothing to undo: this step changed nothing on this host"};
  const Services services(context);
  const ServiceState now = services.State(name);
  const bool ran_before = note->value("before", "") == "running";
  if (!IsSo(now, ran_before)) {
    CheckControllable(context, services, now);
    const auto wait = std::chrono::ceil<std::chrono::seconds>(context.Duration("wait"));
    ran_before ? services.Start(name, wait) : services.Stop(name, wait);
  }
  notes.Forget(Key(context));
  return {name + (ran_before ? " runs again" : " is stopped again")};
}

ActionInfo ServiceRunningAction::Describe() const {
  return {.name = "service-running",
          .summary = "Does a service run?",
          .effect = Effect::kRead,
          .timeout = "1m",
          .memory_mb = 512,
          .params = {ServiceName(), ClaimName()}};
}

ProbeResult ServiceRunningAction::Probe(Context& context) {
  const ServiceState state = Services(context).State(context.Param("name"));
  return Looked(context, state, state == ServiceState::kRunning);
}

}  // namespace reprise::host
