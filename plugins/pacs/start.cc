#include "plugins/pacs/actions.h"
#include "plugins/pacs/claims.h"
#include "plugins/pacs/dicom_node.h"
#include "plugins/pacs/server.h"
#include "plugins/sdk/notes.h"
#include "plugins/sdk/spelling.h"

namespace reprise::pacs {
namespace {

using sdk::Error;
using sdk::ServiceState;

constexpr const char* kPlugin = "pacs";

sdk::Param LikePeer(sdk::Param param) {
  return param.Like("^[A-Za-z0-9][A-Za-z0-9._+:@-]{0,15}@" + sdk::AddressAndPortPattern() + "$", "TITLE@ADDRESS:PORT, such as CT1@192.0.2.5:104");
}

std::string NoteKey(const Place& place) { return "start." + place.service; }

std::string Shown(const std::vector<sdk::Change>& changes) {
  std::string text;
  for (const sdk::Change& change : changes) text += (text.empty() ? "" : "; ") + change.what + ": " + change.from;
  return text;
}

std::string Serving(const Settings& settings) {
  return settings.title + " answers on port " + std::to_string(settings.dicom_port) + ", " +
         (settings.modalities.empty() ? "without interfaces" : "with " + std::to_string(settings.modalities.size()) + " modalities");
}

}  // namespace

sdk::ActionInfo Start::Describe() const {
  return {.name = "start",
          .summary = "Run the imaging server on its new index, in degraded mode unless modalities are named",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true,
                    .network = true,
                    .paths = {"/srv/reprise", "/etc/service", "/etc/systemd/system", "/var/lib/reprise-plugins"}},
          .timeout = "5m",
          .memory_mb = 512,
          .params = {NameParam(),
                     sdk::Text("title").Default("PACS").AtMost(16).About("The server's own AE title"),
                     sdk::Integer("dicom_port").Range(1, 65535).Default(4242),
                     sdk::Integer("http_port").Range(1, 65535).Default(8042).About("REST, answers to this host only"),
                     LikePeer(sdk::List("viewers").Default(sdk::Json::array()).AtMost(64).About("TITLE@ADDRESS:PORT of posts that look and fetch, and store nothing")),
                     LikePeer(sdk::List("modalities").Default(sdk::Json::array()).AtMost(256).About("TITLE@ADDRESS:PORT of nodes that may store: the interfaces. Empty: degraded mode")),
                     sdk::Name("user").Default("orthanc").AtMost(32).About("The user that the server runs as")}};
}

sdk::ProbeResult Start::Probe(sdk::Context& context) {
  const Place place(context);
  const Settings wanted = WantedSettings(context, place);
  const sdk::Services services(context);
  const auto changes = ChangesToRun(context, services, place, wanted, context.Param("user"));
  const std::string detail = changes.empty() ? Serving(wanted) : Shown(changes);
  return {.holds = changes.empty(),
          .summary = detail,
          .observed = {{"service", NameOf(services.State(place.service))}},
          .evidence = {{"service", detail}},
          .claims = {Holds(kInTest, changes.empty(), detail)}};
}

sdk::PlanResult Start::Plan(sdk::Context& context) {
  const Place place(context);
  const Settings wanted = WantedSettings(context, place);
  auto changes = ChangesToRun(context, sdk::Services(context), place, wanted, context.Param("user"));
  if (changes.empty()) return {{}, "nothing to do"};
  return {std::move(changes), "starts the imaging server " + wanted.title};
}

sdk::ApplyResult Start::Apply(sdk::Context& context) {
  const Place place(context);
  const Settings wanted = WantedSettings(context, place);
  const std::string user = context.Param("user");
  const sdk::Services services(context);
  if (ChangesToRun(context, services, place, wanted, user).empty()) return {false, Serving(wanted)};
  const sdk::Notes notes(kPlugin);
  if (!notes.Get(NoteKey(place))) {
    const auto before = sdk::ReadFileIfThere(place.configuration());
    notes.Put(NoteKey(place), {{"configuration", before ? sdk::Json(*before) : sdk::Json()},
                               {"ran", services.State(place.service) == ServiceState::kRunning}});
  }
  BringUp(context, services, place, wanted, user);
  return {true, Serving(wanted)};
}

sdk::VerifyResult Start::Verify(sdk::Context& context) {
  const Place place(context);
  const Settings wanted = WantedSettings(context, place);
  const ServiceState state = sdk::Services(context).State(place.service);
  // From outside: by DICOM, as a node that is known and as one that is not.
  const std::string no_echo = DicomNode(context, wanted).WhyNoEcho();
  const bool turned_away = no_echo.empty() && DicomNode(context, wanted, "STRANGER").IsTurnedAway();
  const bool holds = state == ServiceState::kRunning && no_echo.empty() && turned_away;
  std::string detail = holds ? Serving(wanted) : "service " + std::string(NameOf(state));
  if (!no_echo.empty()) detail += "; " + no_echo;
  if (no_echo.empty() && !turned_away) detail += "; a node that nobody named is served";
  return {.holds = holds,
          .summary = detail,
          .evidence = {{"service", place.service + ": " + std::string(NameOf(state))},
                       {"command", no_echo.empty() ? "echoscu: Received Echo Response (Success)" : no_echo},
                       {"command", std::string("findscu as STRANGER: ") + (turned_away ? "turned away" : "not turned away")}},
          .claims = {Holds(kInTest, holds, detail)}};
}

sdk::RollbackResult Start::Rollback(sdk::Context& context) {
  const Place place(context);
  const sdk::Services services(context);
  const sdk::Notes notes(kPlugin);
  const auto note = notes.Get(NoteKey(place));
  if (!note) return {"this action did not start the server"};
  TakeDown(context, services, place);
  const sdk::Json before = note->value("configuration", sdk::Json());
  std::string summary = "the server is down";
  if (before.is_string()) {
    // The settings that were; they name the ports that it answers on.
    sdk::WriteFileAtomically(place.configuration(), before.get<std::string>(), 0600);
    const auto settings = ConfiguredSettings(place);
    if (settings && note->value("ran", false)) {
      BringUp(context, services, place, *settings, context.Param("user"));
      summary = "the server runs with its former settings";
    }
  } else {
    sdk::application::Uninstall(context, services, ServiceOf(place, context.Param("user")));
    sdk::RemoveFile(place.configuration());
    summary += ", its service is gone; its index and what it stored stay";
  }
  notes.Forget(NoteKey(place));
  return {summary};
}

}  // namespace reprise::pacs
