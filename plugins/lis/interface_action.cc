#include "plugins/lis/interface_action.h"

#include <thread>

#include "plugins/lis/adapter.h"
#include "plugins/lis/ledger.h"
#include "plugins/sdk/application/supervised.h"
#include "plugins/sdk/spelling.h"

namespace reprise::lis {
namespace {

namespace application = sdk::application;
using sdk::ClaimState;
using sdk::Error;
using sdk::ServiceState;

constexpr int64_t kSuperviseMaxMs = 30LL * 86'400'000;

// What is asked for, checked. Throws Error "bad_params".
InterfaceState WantedState(const sdk::Context& context) {
  const int64_t supervise_ms = context.Duration("supervise_for").count();
  if (supervise_ms < 1000 || supervise_ms > kSuperviseMaxMs) {
    throw Error("bad_params", "parameter supervise_for is " + context.Param("supervise_for") + ", expected 1s to 30d", "supervision has an end, and lasts until somebody could look");
  }
  const std::string decision = context.Param<std::string>("decision", "");
  if (!decision.empty() && !sdk::IsLineOfText(decision)) {
    throw Error("bad_params", "parameter decision is no line of text", "name the decision that moves this interface, such as D-12");
  }
  return *InterfaceStateOf(context.Param("state"));
}

std::string DownMark(const std::string& service) { return "/etc/service/" + service + "/down"; }

// The connector up. It listens from here on.
void BringUp(const sdk::Context& context, const Job& job, const sdk::Services& services) {
  const application::ServiceSpec& spec = job.connector.spec;
  application::Install(context, services, spec);
  if (services.supervisor() == sdk::Supervisor::kRunit) sdk::RemoveFile(DownMark(spec.name));
  if (services.supervisor() == sdk::Supervisor::kSystemd) sdk::RunOrThrow(context, {"systemctl", "enable", "--", spec.name + ".service"});
  if (services.State(spec.name) != ServiceState::kRunning) services.Start(spec.name);
}

// The connector down, also when the host starts anew.
void TakeDown(const sdk::Context& context, const Job& job, const sdk::Services& services) {
  const application::ServiceSpec& spec = job.connector.spec;
  if (services.supervisor() == sdk::Supervisor::kNone || services.State(spec.name) == ServiceState::kMissing) return;
  if (!spec.existing) {
    application::Uninstall(context, services, spec);
    return;
  }
  if (services.supervisor() == sdk::Supervisor::kRunit) sdk::WriteFileAtomically(DownMark(spec.name), "");
  if (services.supervisor() == sdk::Supervisor::kSystemd) sdk::Run(context, {"systemctl", "disable", "--", spec.name + ".service"});
  services.Stop(spec.name);
}

// Makes what listens be as the record says. Throws Error "unhealthy".
void BringInLine(const sdk::Context& context, const Job& job, bool open) {
  const sdk::Services services(context);
  if (open && services.supervisor() == sdk::Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: the connector cannot be kept running");
  }
  open ? BringUp(context, job, services) : TakeDown(context, job, services);
  const auto until = std::chrono::steady_clock::now() + std::min(context.Duration("wait"), context.TimeLeft());
  for (;;) {
    const InterfaceFound found = LookAtInterface(context, job);
    if (open ? found.listens && found.answer == "AA" : !found.listens) return;
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("unhealthy", found.detail, open ? "look at the connector's own log" : "something else listens there: find it and stop it");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

// Why `to` may not be reached now, beside the table; empty if it may.
void RequireReady(const sdk::Context& context, const Job& job, const InterfaceRecord& record, InterfaceState to) {
  if (to == InterfaceState::kCut || to == InterfaceState::kRetired) return;
  if (to != InterfaceState::kProposed && context.Param<std::string>("decision", "").empty()) {
    throw Error("no_decision", "interface " + job.connector.name + " does not become " + std::string(NameOf(to)) + " without a decision",
                "give the step its decision's number");
  }
  const application::Postgres postgres(context, job.profile.cluster);
  for (const application::Looked& looked : {application::LookAtBases(context, job.profile, postgres), application::LookAtService(context, job.profile, postgres)}) {
    if (looked.state != ClaimState::kHolds) {
      throw Error("not_ready", "interface " + job.connector.name + ": " + looked.text, "restore, start and check the laboratory first");
    }
  }
  if (to != InterfaceState::kOpen) return;
  const auto ledger = LedgerOf(context);
  if (!ledger) throw Error("not_reconciled", "interface " + job.connector.name + " does not become open without the other side's list of what it sent", "give the step the list: ledger, or the artifact ledger.txt");
  const Traffic traffic = ReadTraffic(context, job.profile, job.connector, record.supervised_unix_s);
  const Reconciled reconciled = Reconcile(*ledger, traffic);
  const uint64_t least = context.Param<uint64_t>("min_messages"), most_nacks = context.Param<uint64_t>("nack_max");
  std::string why;
  if (!reconciled.holds()) why += "; " + reconciled.Shown();
  if (traffic.in() + traffic.sent < least) why += "; " + std::to_string(traffic.in() + traffic.sent) + " messages passed, expected at least " + std::to_string(least);
  if (traffic.nacks() > most_nacks) why += "; " + std::to_string(traffic.nacks()) + " were refused, expected at most " + std::to_string(most_nacks);
  if (!traffic.backlog.empty()) why += "; " + std::to_string(traffic.backlog.size()) + " of ours still wait";
  if (!why.empty()) throw Error("not_reconciled", "interface " + job.connector.name + " stays supervised" + why, "settle these with the other side, then try again");
}

// What passed since it was opened, as evidence; nothing while it is not.
void AddTraffic(const sdk::Context& context, const Job& job, InterfaceFound& found) {
  if (found.record.supervised_unix_s == 0) return;
  const Traffic traffic = ReadTraffic(context, job.profile, job.connector, found.record.supervised_unix_s);
  found.evidence.push_back({"messages", "since " + ShownTime(found.record.supervised_unix_s) + ": " + traffic.Shown()});
  found.detail += "; " + traffic.Shown();
  if (const auto ledger = LedgerOf(context)) found.evidence.push_back({"messages", Reconcile(*ledger, traffic).Shown()});
}

}  // namespace

sdk::ActionInfo InterfaceAction::Describe() const {
  return {.name = "interface",
          .summary = "Move the HL7 interface by one legal step; messages pass only when it is open",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {"/etc/service", "/etc/systemd/system", "/var/lib/reprise-plugins"}},
          .timeout = "10m",
          .memory_mb = 1024,
          .params = {application::ProfileParam(kAdapter), application::ProfileFileParam(),
                     sdk::Text("state").Required().OneOf({"cut", "proposed", "approved", "open_supervised", "open", "retired"}).About("Where it shall be"),
                     sdk::Text("decision").AtMost(120).About("The decision that this carries out, one line; needed from approved on"),
                     sdk::Duration("supervise_for").Default("24h").About("How long open_supervised may last: 1s to 30d"),
                     sdk::Integer("min_messages").Range(0, 1000000000).Default(1).About("For open: so many must have passed under supervision"),
                     sdk::Integer("nack_max").Range(0, 1000000000).Default(0).About("For open: so many may have been refused"),
                     LedgerParam(),
                     sdk::Duration("wait").Default("30s").About("How long the connector may take to come up or go down")}};
}

sdk::ProbeResult InterfaceAction::Probe(sdk::Context& context) {
  const Job job(context);
  const InterfaceFound found = LookAtInterface(context, job);
  const bool holds = found.record.state == WantedState(context) && found.as_recorded;
  return {.holds = holds,
          .summary = found.detail,
          .observed = {{"state", NameOf(found.record.state)}, {"listens", found.listens}, {"service", NameOf(found.service)}},
          .evidence = found.evidence,
          .claims = found.Claims()};
}

sdk::PlanResult InterfaceAction::Plan(sdk::Context& context) {
  const Job job(context);
  const InterfaceFound found = LookAtInterface(context, job);
  const InterfaceState wanted = WantedState(context);
  if (found.record.state == wanted && found.as_recorded) return {{}, "nothing to do"};
  std::vector<sdk::Change> changes;
  if (found.record.state != wanted) {
    changes.push_back({"interface " + job.connector.name, std::string(NameOf(found.record.state)), std::string(NameOf(wanted))});
  }
  if (found.listens != IsOpen(wanted)) {
    changes.push_back({"port " + std::to_string(job.connector.port), found.listens ? "listened on" : "closed", IsOpen(wanted) ? "listened on" : "closed"});
  }
  if (changes.empty()) changes.push_back({"service " + job.connector.spec.name, std::string(NameOf(found.service)), "as recorded"});
  const bool legal = found.record.state == wanted || IsLegal(found.record.state, wanted);
  return {changes, legal ? "one step of interface " + job.connector.name
                         : "this will be refused: from " + std::string(NameOf(found.record.state)) + " it goes to " + NextOf(found.record.state)};
}

sdk::ApplyResult InterfaceAction::Apply(sdk::Context& context) {
  const Job job(context);
  const InterfaceState wanted = WantedState(context);
  const InterfaceFound found = LookAtInterface(context, job);
  if (found.record.state == wanted) {
    if (found.as_recorded) return {false, found.detail};
    if (found.record.until_unix_s != 0 && NowUnixS() >= found.record.until_unix_s) {
      throw Error("supervision_over", found.detail, "supervision is not prolonged by repeating it: move it to open, or to cut");
    }
    BringInLine(context, job, IsOpen(wanted));
    return {true, "brought in line: " + found.record.Shown()};
  }
  if (!IsLegal(found.record.state, wanted)) {
    throw Error("illegal_move", "interface " + job.connector.name + " is " + std::string(NameOf(found.record.state)) + " and cannot become " + std::string(NameOf(wanted)),
                "from " + std::string(NameOf(found.record.state)) + " it goes to " + NextOf(found.record.state));
  }
  RequireReady(context, job, found.record, wanted);
  const InterfaceRecord record = Moved(found.record, wanted, NowUnixS(), context.Duration("supervise_for").count() / 1000, context.Param<std::string>("decision", ""));
  // First what is true of it, then what makes it so: killed in between, what listens is brought in line with the record.
  WriteRecord(job.notes, job.connector.name, record);
  BringInLine(context, job, IsOpen(wanted));
  return {true, std::string(NameOf(found.record.state)) + " before, now " + record.Shown()};
}

sdk::VerifyResult InterfaceAction::Verify(sdk::Context& context) {
  const Job job(context);
  InterfaceFound found = LookAtInterface(context, job);
  AddTraffic(context, job, found);
  return {.holds = found.record.state == WantedState(context) && found.as_recorded,
          .summary = found.detail,
          .evidence = found.evidence,
          .claims = found.Claims()};
}

sdk::RollbackResult InterfaceAction::Rollback(sdk::Context& context) {
  const Job job(context);
  const InterfaceState wanted = *InterfaceStateOf(context.Param("state"));
  const InterfaceRecord record = ReadRecord(job.notes, job.connector.name);
  if (record.history.empty() || record.state != wanted || record.history.back().decision != context.Param<std::string>("decision", "")) {
    return {"nothing to undo: this step did not move the interface, which is " + record.Shown()};
  }
  if (!IsOpen(wanted) && IsOpen(record.history.back().from)) {
    throw Error("not_undone", "interface " + job.connector.name + " was open and is cut: undoing does not open it", "propose it again: opening needs its decisions");
  }
  const InterfaceRecord before = Unmoved(record);
  WriteRecord(job.notes, job.connector.name, before);
  BringInLine(context, job, IsOpen(before.state));
  return {"interface " + job.connector.name + " is " + before.Shown() + " again"};
}

sdk::ActionInfo ReconcileAction::Describe() const {
  return {.name = "reconcile",
          .summary = "Compare the messages that the other side sent with those that the laboratory has",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "10m",
          .memory_mb = 1024,
          .params = {application::ProfileParam(kAdapter), application::ProfileFileParam(), LedgerParam(),
                     sdk::Integer("since_unix_s").Range(0, 1e11).About("From when on; absent: since it was opened for supervision")}};
}

sdk::ProbeResult ReconcileAction::Probe(sdk::Context& context) {
  const Job job(context);
  InterfaceFound found = LookAtInterface(context, job);
  const auto ledger = LedgerOf(context);
  std::vector<sdk::Claim> claims = found.Claims();
  const auto unknown = [&](const std::string& why) -> sdk::ProbeResult {
    claims.push_back({kNominalClaim, ClaimState::kUnknown, why});
    found.evidence.push_back({"messages", why});
    return {.holds = false, .summary = why, .evidence = found.evidence, .claims = claims};
  };
  if (!ledger) return unknown("there is no list of what the other side sent");
  const application::Postgres postgres(context, job.profile.cluster);
  if (!postgres.IsMade() || !postgres.Answers()) return unknown("the laboratory's base does not answer");
  const int64_t since = context.Param<int64_t>("since_unix_s", found.record.supervised_unix_s);
  const Traffic traffic = ReadTraffic(context, job.profile, job.connector, since);
  const Reconciled reconciled = Reconcile(*ledger, traffic);
  const bool holds = reconciled.holds() && traffic.backlog.empty() && traffic.nacks() == 0;
  const std::string text = reconciled.Shown() + "; " + traffic.Shown();
  found.evidence.push_back({"messages", (since == 0 ? "of all time: " : "since " + ShownTime(since) + ": ") + text});
  const bool open = found.record.state == InterfaceState::kOpen && found.as_recorded;
  // A laboratory with another interface that is still cut is not as it was before.
  std::string others;
  for (const auto& interface : job.profile.interfaces) {
    if (interface.name != job.connector.name) others += (others.empty() ? "not opened yet: " : ", ") + interface.name;
  }
  const std::string detail = !open ? found.detail : others.empty() ? text : text + "; " + others;
  claims.push_back({kNominalClaim, holds && open && others.empty() ? ClaimState::kHolds : ClaimState::kFails, detail});
  return {.holds = holds,
          .summary = text,
          .observed = {{"sent", reconciled.sent}, {"lost", reconciled.lost}, {"doubled", reconciled.doubled}, {"unsent", reconciled.unsent}, {"unmade", reconciled.unmade},
                       {"in", traffic.in()}, {"out", traffic.sent}, {"nacks", traffic.nacks()}, {"backlog", traffic.backlog.size()}},
          .evidence = found.evidence,
          .claims = claims};
}

sdk::ActionInfo HealthAction::Describe() const {
  return {.name = "health",
          .summary = "Where the laboratory stands: base, service, interface, acceptance",
          .effect = sdk::Effect::kRead,
          .needs = {.network = true},
          .timeout = "5m",
          .memory_mb = 512,
          .params = {application::ProfileParam(kAdapter), application::ProfileFileParam()}};
}

sdk::ProbeResult HealthAction::Probe(sdk::Context& context) {
  const Job job(context);
  InterfaceFound found = LookAtInterface(context, job);
  const application::Profile profile = WithoutOpened(context);
  const bool asked = application::Standing::WasAsked(kAdapter.plugin, profile);
  application::Standing standing = application::Standing::Of(context, kAdapter.plugin, profile, asked);
  const bool rungs_hold = standing.ladder.holds();
  const std::string why_not = standing.ladder.why_not();
  if (asked) {
    const bool interfaced = found.record.state == InterfaceState::kOpen && found.as_recorded;
    standing.ladder.Put(application::Rung::kInterfaced, interfaced ? ClaimState::kHolds : ClaimState::kFails, found.detail);
  }
  std::vector<sdk::Claim> claims = standing.ladder.claims();
  claims.push_back(found.Claims()[0]);
  application::Append(standing.evidence, found.evidence);
  const bool holds = rungs_hold && found.as_recorded;
  return {.holds = holds,
          .summary = holds ? standing.service.text + "; " + found.detail : rungs_hold ? found.detail : why_not,
          .observed = {{"interface", NameOf(found.record.state)}, {"service", NameOf(standing.service.state)}},
          .evidence = std::move(standing.evidence),
          .claims = std::move(claims)};
}

}  // namespace reprise::lis
