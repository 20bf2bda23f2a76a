#include "plugins/pacs/actions.h"
#include "plugins/pacs/claims.h"
#include "plugins/pacs/server.h"
#include "plugins/sdk/application/sockets.h"

namespace reprise::pacs {
namespace {

using sdk::ServiceState;

bool IsDown(ServiceState state) { return state == ServiceState::kStopped || state == ServiceState::kMissing; }

std::string Detail(const Place& place, ServiceState state) {
  return "service " + place.service + " is " + std::string(NameOf(state));
}

}  // namespace

sdk::ActionInfo Stop::Describe() const {
  return {.name = "stop",
          .summary = "Let the imaging server write what it has and end; it stays down",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {"/etc/service", "/etc/systemd/system", "/srv/reprise"}},
          .timeout = "5m",
          .memory_mb = 256,
          .params = {NameParam(), sdk::Name("user").Default("orthanc").AtMost(32).About("The user that rollback starts it as")}};
}

sdk::ProbeResult Stop::Probe(sdk::Context& context) {
  const Place place(context);
  const ServiceState state = sdk::Services(context).State(place.service);
  const std::string detail = Detail(place, state);
  sdk::Claim claim = Holds(kInTest, false, detail);
  // That it is not down proves nothing about what it serves.
  if (!IsDown(state)) claim = Unknown(kInTest, detail);
  return {.holds = IsDown(state),
          .summary = detail,
          .observed = {{"service", NameOf(state)}},
          .evidence = {{"service", detail}},
          .claims = {claim}};
}

sdk::PlanResult Stop::Plan(sdk::Context& context) {
  const Place place(context);
  const ServiceState state = sdk::Services(context).State(place.service);
  if (IsDown(state)) return {{}, "nothing to do"};
  return {{{"service " + place.service, std::string(NameOf(state)), "stopped"}}, "stops the imaging server"};
}

sdk::ApplyResult Stop::Apply(sdk::Context& context) {
  const Place place(context);
  const sdk::Services services(context);
  if (IsDown(services.State(place.service))) return {false, "it is down"};
  TakeDown(context, services, place);
  return {true, "it is down"};
}

sdk::VerifyResult Stop::Verify(sdk::Context& context) {
  const Place place(context);
  const ServiceState state = sdk::Services(context).State(place.service);
  std::string detail = Detail(place, state);
  bool listens = false;
  if (const auto settings = ConfiguredSettings(place)) {
    const auto sockets = sdk::application::SocketsHere();
    if (!sockets) throw sdk::Error("unknown", "the kernel does not tell who listens");
    for (const auto& socket : *sockets) {
      listens = listens || (socket.listens && (socket.local_port == settings->dicom_port || socket.local_port == settings->http_port));
    }
    detail += listens ? "; one of its ports is still listened on" : "; nobody listens on its ports";
  }
  return {.holds = IsDown(state) && !listens,
          .summary = detail,
          .evidence = {{"service", detail}},
          .claims = {IsDown(state) ? Holds(kInTest, false, detail) : Unknown(kInTest, detail)}};
}

sdk::RollbackResult Stop::Rollback(sdk::Context& context) {
  const Place place(context);
  const auto settings = ConfiguredSettings(place);
  if (!settings) return {"this server was never started here"};
  BringUp(context, sdk::Services(context), place, *settings, context.Param("user"));
  return {"it runs again"};
}

}  // namespace reprise::pacs
