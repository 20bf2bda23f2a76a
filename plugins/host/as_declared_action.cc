#include "plugins/host/as_declared_action.h"

#include <vector>

#include "plugins/host/facts.h"

namespace reprise::host {
namespace {

using namespace reprise::sdk;

// What was found, to be held against what was declared.
struct Compared {
  std::string what;
  std::string declared;
  std::string found;  // Empty: it cannot be told.
  bool same = false;
};

// "debian-12"; "debian" where the system has no numbers.
std::string OsOf(const Json& facts) {
  const Json os = facts.value("os", Json::object());
  const std::string id = os.value("id", ""), version = os.value("version", "");
  return version.empty() ? id : id + "-" + version;
}

Compared CompareAddress(const std::string& declared, const Json& facts) {
  Compared compared{"address", declared, "", false};
  for (const Json& one : facts.value("addresses", Json::array())) {
    const std::string address = one.value("address", "");
    compared.same = compared.same || address == declared;
    if (one.value("interface", "") != "lo") compared.found += (compared.found.empty() ? "" : ", ") + address;
  }
  return compared;
}

}  // namespace

ActionInfo AsDeclaredAction::Describe() const {
  return {.name = "as-declared",
          .summary = "Is this host what the inventory says of it?",
          .effect = Effect::kRead,
          // To see the host's own addresses; nothing is sent.
          .needs = {.root = false, .network = true},
          .timeout = "1m",
          .memory_mb = 256,
          .params = {Text("hostname").AtMost(253).About("The name that it gives itself"),
                     Text("os").AtMost(64).About("ID and VERSION_ID of /etc/os-release: debian-12"),
                     Text("address").AtMost(64).About("An address that it has")}};
}

ProbeResult AsDeclaredAction::Probe(Context& context) {
  Json facts = Json::object();
  AddMachine(facts);
  AddNetwork(facts);
  std::vector<Compared> all;
  const auto compare = [&](const char* what, const std::string& found) {
    if (context.Has(what)) all.push_back({what, context.Param(what), found, found == context.Param(what)});
  };
  compare("hostname", facts.value("hostname", ""));
  compare("os", OsOf(facts));
  if (context.Has("address")) all.push_back(CompareAddress(context.Param("address"), facts));
  if (all.empty()) throw Error("bad_params", "nothing is declared", "give one of hostname, os, address");

  ClaimState state = ClaimState::kHolds;
  std::string as_declared, deviations;
  std::vector<Evidence> evidence;
  for (const Compared& one : all) {
    const std::string text = one.what + ": declared " + one.declared + ", found " + (one.found.empty() ? "nothing that tells it" : one.found);
    evidence.push_back({"facts", text});
    if (one.same) {
      as_declared += (as_declared.empty() ? "" : ", ") + one.what + " " + one.declared;
      continue;
    }
    deviations += (deviations.empty() ? "" : "; ") + text;
    if (!one.found.empty()) state = ClaimState::kFails;
    if (one.found.empty() && state == ClaimState::kHolds) state = ClaimState::kUnknown;
  }
  const std::string detail = deviations.empty() ? as_declared : deviations;
  return {.holds = deviations.empty(),
          .summary = detail,
          .observed = {{"hostname", facts.value("hostname", "")}, {"os", OsOf(facts)}, {"addresses", facts.value("addresses", Json::array())}},
          .evidence = std::move(evidence),
          .claims = {{"host.as_declared", state, detail}}};
}

}  // namespace reprise::host
