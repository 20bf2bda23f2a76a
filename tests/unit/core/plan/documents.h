// Documents as one writes them, read and compiled for a site of people, with what was found wrong. A finding is
// compared as one line: "2:9 the value is … = expected … = did you mean …".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/crypto/sha256.h"
#include "core/plan/compile.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/model/site.h"

namespace reprise::plan::testing {

using model::testing::kHour;
using model::testing::kNoon;
using model::testing::Site;
namespace mv1 = ::reprise::model::v1;

// Ten workstations, two servers, a scanner; labels site and row.
inline constexpr char kInventory[] = R"(apiVersion: reprise/v1
kind: Inventory
metadata: {name: hr1}
hosts:
  - {name: srv-1, class: server, zone: trust_core, trust: rebuilt, address: 10.0.0.1, labels: {site: nord}}
  - {name: srv-2, class: server, zone: dirty, labels: {site: sud}}
  - {name: pump-1, class: medical_device, zone: biomedical, agent: true, labels: {site: nord}}
  - {name: ct-1, class: modality, zone: biomedical, labels: {site: sud}}
groups:
  - {prefix: ws-, count: 10, digits: 2, class: workstation, zone: dirty, labels: {site: nord, row: a}}
)";

inline constexpr char kHead[] = "apiVersion: reprise/v1\nkind: Workflow\nmetadata: {name: edr}\n";

// A workflow of one stage `go` over the ten workstations, with this instead of its one step, and this before its steps.
inline std::string OneStage(
    const std::string& steps = "      - {name: install, uses: edr.install, with: {version: 4.2.1}}\n",
    const std::string& stage = "", const std::string& workflow = "",
    const std::string& targets = "class == workstation") {
  return absl::StrCat(kHead, workflow, "stages:\n  - name: go\n    targets: ", targets, "\n", stage, "    steps:\n",
                      steps);
}

inline Json Schema(const char* text) {
  return Json::parse(text);
}

inline Catalog SomeCatalog() {
  Catalog catalog;
  PluginSpec& edr = catalog.plugins.emplace_back();
  edr.name = "edr";
  edr.version = "1.0.0";
  edr.sha256 = crypto::Sha256("edr");
  const auto add = [&](const char* name, mv1::Effect effect, bool undoable, const char* schema) {
    edr.actions.push_back({.name = name,
                           .summary = "something",
                           .effect = effect,
                           .undoable = undoable,
                           .protected_class = false,
                           .timeout_ms = 60'000,
                           .params_schema = Schema(schema)});
  };
  add("install", mv1::EFFECT_CHANGE, true,
      R"({"type":"object","additionalProperties":false,"required":["version"],"properties":{
        "version":{"type":"string","maxLength":20,"pattern":"^[A-Za-z0-9.-]+$","description":"Of the sensor"},
        "mode":{"type":"string","enum":["strict","lax"]},
        "level":{"type":"integer","minimum":0,"maximum":9},
        "fast":{"type":"boolean"},
        "paths":{"type":"array","items":{"type":"string"}},
        "limits":{"type":"object","additionalProperties":false,"properties":{"cpu":{"type":"integer"}}},
        "password":{"type":"string","writeOnly":true}}})");
  constexpr char kNothing[] = R"({"type":"object","additionalProperties":false,"properties":{}})";
  add("status", mv1::EFFECT_READ, false, kNothing);
  add("reboot", mv1::EFFECT_CHANGE, false, kNothing);
  add("wipe", mv1::EFFECT_DESTROY, false, kNothing);
  for (const char* name : {"edr_4.2.deb", "edr_4.3.deb", "rules.ndb"}) {
    v1::ArtifactRef& artifact = catalog.artifacts.emplace_back();
    artifact.set_name(name);
    artifact.set_sha256(crypto::Sha256(name));
    artifact.set_size(7);
  }
  return catalog;
}

inline std::string LineOf(const Finding& finding) {
  std::string line = finding.place.line == 0 ? "" : absl::StrCat(finding.place.line, ":", finding.place.column, " ");
  absl::StrAppend(&line, finding.severity == Severity::kWarning ? "warning: " : "", finding.message);
  if (!finding.expected.empty()) absl::StrAppend(&line, " = expected ", finding.expected);
  if (!finding.nearest.empty()) absl::StrAppend(&line, " = nearest ", finding.nearest);
  return line;
}

inline std::vector<std::string> Lines(const Diagnostics& diagnostics) {
  std::vector<std::string> lines;
  for (const Finding& finding : diagnostics.Findings()) lines.push_back(LineOf(finding));
  return lines;
}

struct Documents {
  // The findings' line numbers are those of `text`; the inventory is a source of its own.
  explicit Documents(const std::string& text, const std::string& inventory = kInventory) {
    if (!inventory.empty()) ReadDocuments(diagnostics.AddSource("inventory.yaml", inventory), dossier, diagnostics);
    ReadDocuments(diagnostics.AddSource("edr.yaml", text), dossier, diagnostics);
  }

  std::vector<std::string> Found() const { return Lines(diagnostics); }

  // Every host of the inventory that can carry an agent, admitted as declared.
  KnownHosts AllAdmitted() const {
    KnownHosts known;
    for (const Host& host : dossier.inventory.hosts) {
      if (host.agent)
        known[host.name] = {.hold = {}, .enrolled = true, .admitted = true, .connected = true, .last_contact = kNoon};
    }
    return known;
  }

  // REQUIRES: a workflow was read.
  std::optional<CompiledPlan> Compile(const std::function<void(CompileRequest&)>& change = [](CompileRequest&) {}) {
    const Workflow& workflow = dossier.workflows.at(0);
    CompileRequest request{.dossier = dossier,
                           .workflow = workflow,
                           .parameters = ReadParameters(workflow, given, diagnostics),
                           .catalog = catalog,
                           .known = AllAdmitted(),
                           .coordinator_asked = true,
                           .keyring = &keyring,
                           .requester = "bob",
                           .nonce = "0123456789abcdef",
                           .now = kNoon + 123,
                           .exercise = false,
                           .expires_ms = 0};
    change(request);
    return plan::Compile(std::move(request), diagnostics);
  }

  Diagnostics diagnostics;
  Dossier dossier;
  Catalog catalog = SomeCatalog();
  std::map<std::string, std::string> given;
  Site site;
  model::Keyring keyring = site.Found();
};

// What is found in compiling the workflow.
inline std::vector<std::string> FindingsOf(const std::string& text,
                                           const std::map<std::string, std::string>& given = {}) {
  Documents documents(text);
  documents.given = given;
  if (documents.diagnostics.ok()) documents.Compile();
  return documents.Found();
}

}  // namespace reprise::plan::testing
