#include "plugins/pacs/actions.h"
#include "plugins/pacs/claims.h"
#include "plugins/pacs/dicom_node.h"
#include "plugins/pacs/proof.h"
#include "plugins/pacs/rest.h"
#include "plugins/pacs/server.h"

namespace reprise::pacs {
namespace {

using sdk::Error;

// That nothing of the outside gets in: who is allowed to store by the server's own list, and one who tries all the same.
struct Closedness {
  bool closed = false;
  std::string detail;
};

Closedness LookForInterfaces(const sdk::Context& context, const Place& place, const Settings& settings, const Proof& proof) {
  Rest rest(context, settings);
  const sdk::Json nodes = rest.Get("/modalities?expand").Parsed();
  const sdk::Json peers = rest.Get("/peers").Parsed();
  std::vector<std::string> open;
  if (!nodes.is_object() || !peers.is_array()) throw Error("bad_answer", "the server does not list its nodes");
  for (const auto& [name, node] : nodes.items()) {
    if (node.value("AllowStore", true)) open.push_back(node.value("AET", name));
  }
  for (const sdk::Json& peer : peers) open.push_back(peer.is_string() ? peer.get<std::string>() : "a peer");
  if (!open.empty()) return {false, std::to_string(open.size()) + " nodes may store (" + open[0] + (open.size() > 1 ? ", …" : "") + ")"};
  const DicomNode stranger(context, settings, "STRANGER");
  if (!stranger.IsTurnedAway()) return {false, "a node that nobody named is served"};
  std::string tried = "a stranger's C-FIND is turned away";
  if (!proof.census.instances.empty()) {
    const PlainFile file(context, place.restored(), proof.census.instances.begin()->second);
    if (stranger.Stores(file.path())) return {false, "a node that nobody named may store"};
    if (DicomNode(context, settings).Stores(file.path())) return {false, "a node that may only look may store"};
    tried += ", its C-STORE is refused";
  }
  return {true, "no node may store; " + tried};
}

// From the server to each modality: C-ECHO.
std::string WhyNotInterfaced(const sdk::Context& context, const Settings& settings) {
  if (settings.modalities.empty()) return "no modality is configured";
  Rest rest(context, settings);
  std::string why;
  for (size_t i = 0; i < settings.modalities.size(); ++i) {
    const Response response = rest.Post("/modalities/modality-" + std::to_string(i + 1) + "/echo", "{}");
    if (!response.ok()) why += (why.empty() ? "" : ", ") + settings.modalities[i].Shown() + " does not answer";
  }
  return why;
}

}  // namespace

sdk::ActionInfo Health::Describe() const {
  return {.name = "health",
          .summary = "Prove what the imaging server serves, against the storage that was restored",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "4h",
          .memory_mb = 2048,
          .params = {NameParam(), sdk::Integer("sample").Range(0, 10000).Default(20).About("Images that are fetched back and compared")}};
}

sdk::ProbeResult Health::Probe(sdk::Context& context) {
  const Place place(context);
  const sdk::ServiceState state = sdk::Services(context).State(place.service);
  std::vector<sdk::Evidence> evidence = {{"service", place.service + ": " + std::string(NameOf(state))}};
  const auto not_served = [&](const std::string& why) -> sdk::ProbeResult {
    evidence.push_back({"server", why});
    return {.holds = false,
            .summary = why,
            .observed = {{"service", NameOf(state)}},
            .evidence = evidence,
            .claims = {Holds(kInTest, false, why), Unknown(kDataOk, why), Holds(kDegraded, false, why), Unknown(kInterfaced, why)}};
  };
  const auto settings = ConfiguredSettings(place);
  if (!settings) return not_served("this server was never started here");
  if (const std::string why = WhyNotAnswering(context, *settings); !why.empty()) return not_served(why);
  Proof proof;
  Closedness closedness;
  try {
    proof = Prove(context, place, *settings, context.Param<size_t>("sample"));
    closedness = LookForInterfaces(context, place, *settings, proof);
  } catch (const Error& error) {
    if (error.code() != "unreachable" && error.code() != "refused" && error.code() != "not_restored") throw;
    return not_served(error.what());
  }
  evidence.insert(evidence.end(), proof.evidence.begin(), proof.evidence.end());
  evidence.push_back({"network", closedness.detail});
  const std::string not_interfaced = WhyNotInterfaced(context, *settings);
  const bool running = state == sdk::ServiceState::kRunning;
  const bool degraded = running && proof.IsIndexWhole() && closedness.closed;
  const Counts counts = proof.by_find;
  return {.holds = running && proof.IsDataOk(),
          .summary = proof.Detail(),
          .observed = {{"patients", counts.patients}, {"studies", counts.studies}, {"series", counts.series},
                       {"instances", counts.instances}, {"damaged", proof.census.damaged.size()},
                       {"missing", proof.missing.size()}, {"extra", proof.extra.size()}},
          .evidence = std::move(evidence),
          .claims = {Holds(kDataOk, proof.IsDataOk(), proof.Detail()),
                     running ? Holds(kInTest, true, "C-ECHO and REST answer") : Unknown(kInTest, "something answers, its service is " + std::string(NameOf(state))),
                     Holds(kDegraded, degraded || (running && proof.IsIndexWhole() && not_interfaced.empty()),
                           degraded ? closedness.detail : not_interfaced.empty() ? "interfaced: " + closedness.detail : closedness.detail),
                     Holds(kInterfaced, not_interfaced.empty(), not_interfaced.empty() ? "every modality answers the server's C-ECHO" : not_interfaced)}};
}

}  // namespace reprise::pacs
