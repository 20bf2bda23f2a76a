#include "plugins/lis/adapter.h"

#include <algorithm>
#include <ctime>

#include "plugins/lis/hl7.h"

namespace reprise::lis {
namespace {

using sdk::ClaimState;

// Another one each time: a receiver may drop what it has seen.
std::string ProbeId(int64_t now_unix_s) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return "REPRISE" + std::to_string(now_unix_s) + std::to_string(now.tv_nsec / 1000);
}

std::string Ask(const sdk::Context& context, const Connector& connector) {
  const int64_t now = NowUnixS();
  const std::string id = ProbeId(now);
  const Exchanged exchanged = Exchange(context, connector.address,
                                       ProbeMessage(connector.application, connector.facility, connector.probe_type, id, now));
  if (!exchanged.why_not.empty()) return exchanged.why_not;
  const auto acknowledgement = ReadAcknowledgement(exchanged.answer);
  if (!acknowledgement) return "what answers gives no HL7 acknowledgement with one MSA";
  if (acknowledgement->control_id != id) return "acknowledges another message";
  return acknowledgement->accepted() ? "AA" : "refuses a message of training with " + acknowledgement->code.substr(0, 4);
}

bool Listens(const Connector& connector) {
  const auto sockets = sdk::application::SocketsHere();
  if (!sockets) throw sdk::Error("not_looked_at", "the kernel does not tell this host's sockets");
  return std::any_of(sockets->begin(), sockets->end(),
                     [&](const auto& socket) { return socket.listens && socket.local_port == connector.port; });
}

}  // namespace

Job::Job(const sdk::Context& context)
    : profile(sdk::application::ProfileOf(context, kAdapter)),
      connector(ConnectorOf(context, profile, BuiltinProfiles().at("lis-interface"))) {}

int64_t NowUnixS() { return static_cast<int64_t>(std::time(nullptr)); }

InterfaceFound LookAtInterface(const sdk::Context& context, const Job& job) {
  InterfaceFound found;
  found.name = job.connector.name;
  found.record = ReadRecord(job.notes, job.connector.name);
  found.service = sdk::Services(context).State(job.connector.spec.name);
  found.listens = Listens(job.connector);
  const std::string place = "port " + std::to_string(job.connector.port);
  const bool open = IsOpen(found.record.state);
  found.evidence.push_back({"record", job.connector.name + ": " + found.record.Shown()});
  found.evidence.push_back({"service", job.connector.spec.name + ": " + std::string(NameOf(found.service))});
  found.evidence.push_back({"socket", place + (found.listens ? " is listened on" : ": nobody listens")});
  if (open && found.listens) {
    found.answer = Ask(context, job.connector);
    found.evidence.push_back({"hl7", job.connector.probe_type + " in training mode to " + job.connector.address + ": " + found.answer});
  }
  const bool over = found.record.until_unix_s != 0 && NowUnixS() >= found.record.until_unix_s;
  found.detail = job.connector.name + " is " + found.record.Shown();
  if (open) {
    found.as_recorded = found.service == sdk::ServiceState::kRunning && found.listens && found.answer == "AA" && !over;
    if (over) found.detail += "; its supervised period is over: open it, or cut it";
    if (!found.listens) found.detail += "; but nobody listens on " + place;
    if (found.listens && found.answer != "AA") found.detail += "; but " + found.answer;
    if (found.listens && found.service != sdk::ServiceState::kRunning) found.detail += "; but its service is " + std::string(NameOf(found.service));
  } else {
    const bool down = found.service == sdk::ServiceState::kStopped || found.service == sdk::ServiceState::kMissing ||
                      found.service == sdk::ServiceState::kUnknown;
    found.as_recorded = !found.listens && down;
    if (found.listens) found.detail += "; but " + place + " is listened on";
    if (!found.listens && !down) found.detail += "; but its service is " + std::string(NameOf(found.service));
  }
  return found;
}

std::vector<sdk::Claim> InterfaceFound::Claims() const {
  const bool interfaced = record.state == InterfaceState::kOpen && as_recorded;
  return {{kInterfaceClaim, as_recorded ? ClaimState::kHolds : ClaimState::kFails, detail},
          {kInterfacedClaim, interfaced ? ClaimState::kHolds : ClaimState::kFails, detail}};
}

sdk::application::Profile WithoutOpened(const sdk::Context& context) {
  Job job(context);
  if (IsOpen(ReadRecord(job.notes, job.connector.name).state)) {
    std::erase_if(job.profile.interfaces, [&](const auto& interface) { return interface.name == job.connector.name; });
  }
  return job.profile;
}

}  // namespace reprise::lis
