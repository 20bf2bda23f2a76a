#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

constexpr char kSmallDossier[] = R"(apiVersion: reprise/v1
kind: Inventory
metadata: {name: hr1}
hosts:
  - {name: srv-1, class: server, zone: trust_core, trust: rebuilt, address: 10.0.0.1, labels: {site: nord}}
groups:
  - {prefix: ws-, count: 10, digits: 2, class: workstation, zone: dirty, labels: {site: nord, row: a}}
---
apiVersion: reprise/v1
kind: Workflow
metadata: {name: edr}
parameters:
  - {name: version, type: string, default: 4.2.1}
  - {name: rows, type: list, default: [a, b]}
capacities: {link: 3}
in_flight: 8
per_host: 2
failures: {max: 2, percent: 10}
stages:
  - name: go
    targets: class == workstation and labels.row in (params.rows)
    waves: {canary: 1, sizes: [2, 50%, rest], gate: {name: ok, question: "Sound?", quorum: 1}, order: [labels.site, name]}
    steps:
      - name: install
        uses: edr.install
        with: {version: "${params.version}", host: "${host.name}", where: "${host.labels.site} $${x}"}
        timeout: 1m30s
        retries: 2
        backoff: {initial: 500ms, max: 2s}
        on_failure: rollback
        tokens: {link: 1}
  - name: watch
    after: [go]
    optional: true
    targets: not zone == bubble
    unreachable: wait
    steps:
      - {name: beat, uses: edr.heartbeat}
)";

std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> DossierSeeds() {
  std::vector<std::string> seeds = {kSmallDossier};
  const std::filesystem::path folder = std::filesystem::path(REPRISE_FUZZ_EXAMPLES) / "hr1-mini";
  const std::string inventory = ReadWhole(folder / "inventory.yaml");
  Check(!inventory.empty(), "the example dossiers are there:", folder.string());
  std::vector<std::filesystem::path> workflows;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml" && entry.path().filename() != "inventory.yaml") {
      workflows.push_back(entry.path());
    }
  }
  std::sort(workflows.begin(), workflows.end());
  for (const auto& workflow : workflows) seeds.push_back(inventory + "\n---\n" + ReadWhole(workflow));
  return seeds;
}

std::vector<std::string> SelectorSeeds() {
  return {"all",
          "class in (workstation, admin_workstation) and labels.site == nord and not name in params.spared",
          "not (zone == dirty or trust != suspect) and agent == true",
          "name not in (ws-1, 'ws 2', \"ct-1\") or labels.row == params.row",
          "((((((not not all))))))",
          "labels.site in (nord, sud)\n  and zone in (biomedical)"};
}

std::vector<std::string> StatementSeeds() {
  const World& world = TheWorld();
  model::HostStatement held;
  held.host = "ws-001";
  held.serial = 18;
  held.zone = model::v1::ZONE_QUARANTINE;
  held.asset_class = model::v1::ASSET_CLASS_WORKSTATION;
  held.trust = model::v1::TRUST_STATE_SUSPECT;
  held.hold = "evidence of the intrusion – do not touch";
  held.issued = kNoon;
  std::vector<model::Operator> operators;
  const model::Keyring keyring = world.people.Keyring();
  for (const auto& [name, person] : keyring.operators()) operators.push_back(person);
  operators.back().active = false;
  return {world.people.chain().front().statement(),
          keyring.Next(operators, keyring.policy(), kNoon).Bytes(),
          world.campaign.Bundle().statement(),
          world.campaign.Decision("canary-is-sound", "alice").statement(),
          world.campaign.Decision("canary-is-sound", "alice", 1, true, kNoon + kHour).statement(),
          held.Write().Bytes(),
          agents::testing::Admission(world.people).statement()};
}

std::vector<std::string> MinisignSeeds() {
  const crypto::SecretKey& alice = TheWorld().people.key("alice");
  return {alice.Public().File("minisign public key"), alice.Public().Base64(), *alice.File(""),
          alice.Sign("the message", "signed by alice"), TheWorld().people.key("bob").Sign("the message", "by bob")};
}

std::vector<std::string> PluginResultSeeds() {
  return {R"({"holds":true,"summary":"clamd answers","evidence":[{"kind":"text","text":"PONG é ü"}],)"
          R"("claims":[{"name":"edr.protected","state":"holds","detail":"eicar found"},{"name":"a","state":"unknown"}]})",
          R"({"changed":true,"summary":"done","undo":{"package":"1.0"}})",
          R"({"error":{"code":"no_network","message":"cannot reach the mirror","hint":"try again"}})",
          R"({"abi":1,"name":"edr","actions":[{"name":"install","effect":"change","needs":{"network":true},)"
          R"("memory_mb":256},{"name":"status","effect":"read"}]})",
          R"({"a":[[[[[[[[{"b":-1.5e300,"c":18446744073709551615}]]]]]]]],"d":"\ud83d\ude00\u0000"})"};
}

}  // namespace reprise::fuzz
