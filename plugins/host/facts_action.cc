#include "plugins/host/facts_action.h"

#include "plugins/host/facts.h"

namespace reprise::host {

using namespace reprise::sdk;

ActionInfo FactsAction::Describe() const {
  return {.name = "facts",
          .summary = "What this host is: system, disks, addresses, packages, services, ports",
          .effect = Effect::kRead,
          // To see the host's own addresses and ports; nothing is sent.
          .needs = {.root = false, .network = true},
          .timeout = "1m",
          .memory_mb = 256};
}

ProbeResult FactsAction::Probe(Context&) {
  Json facts = Json::object();
  AddMachine(facts);
  AddNetwork(facts);
  AddSoftware(facts);
  const bool known = facts.contains("os");
  const std::string os = known ? facts["os"].value("name", facts["os"].value("id", "")) : "";
  const bool readable = facts.contains("kernel") && facts.contains("memory");
  std::string summary = known ? os : "unknown system";
  if (facts.contains("kernel")) summary += ", kernel " + facts["kernel"]["release"].get<std::string>();
  if (facts.contains("packages"))
    summary += ", " + std::to_string(facts["packages"]["count"].get<size_t>()) + " packages";
  std::vector<Evidence> evidence = {{"file", "/etc/os-release: " + (known ? os : "names no system")}};
  if (facts.contains("packages")) {
    evidence.push_back({"file", "/var/lib/dpkg/status: sha256 of all names and versions " +
                                    facts["packages"]["sha256"].get<std::string>()});
  }
  return {.holds = known && readable,
          .summary = summary,
          .observed = std::move(facts),
          .evidence = std::move(evidence),
          .claims = {{"host.os_known", known ? ClaimState::kHolds : ClaimState::kUnknown, os}}};
}

}  // namespace reprise::host
