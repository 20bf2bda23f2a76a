// Compiles a workflow into a plan: parameters bound, hosts resolved and placed in waves, plugins named by hash, and all of
// it frozen as the bytes that people sign. Pure: time, chance and what is known come as arguments.
//
// A step's artifacts and copy may hold ${params.NAME}. Its parameters (`with:`) may hold ${params.NAME}, ${host.name}, ${host.address} and ${host.labels.KEY}; a text that
// is nothing but ${params.NAME} takes the parameter's type, and $${ stands for ${. What names a host goes into that host's
// leaf; everything is checked against the action's JSON Schema here, at its place in the document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/keyring.h"
#include "core/model/statements.h"
#include "core/plan/catalog.h"
#include "core/plan/dossier.h"
#include "core/plan/parameters.h"
#include "core/plan/recovery_points.h"
#include "core/plan/targets.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::plan {

// Less than what agents allow without a signature (model::kUnsignedAheadMax): their clocks may be some hours late.
inline constexpr int64_t kUnsignedLife = 20LL * 3600 * 1000;

struct CompileRequest {
  const Dossier& dossier;
  const Workflow& workflow;       // Of the dossier.
  ParameterValues parameters;
  const Catalog& catalog;
  std::vector<KnownPoint> points; // What the coordinator knows of copies.
  KnownHosts known;               // Empty: no coordinator was asked; then nobody is left out as not enrolled.
  bool coordinator_asked = true;
  const model::Keyring* keyring = nullptr;  // nullptr: there is none yet; then the plan cannot be signed.
  std::string requester;
  std::string nonce;              // 16 random bytes.
  UnixMs now = 0;
  bool exercise = false;
  int64_t expires_ms = 0;         // After now; 0: what the workflow says, what only reads at most kUnsignedLife.
};

struct CompiledPlan {
  v1::PlanBundle bundle;            // The bytes: what is submitted and signed.
  model::PlanStatement statement;   // What they say.
  v1::PlanHeader header;
  std::vector<v1::HostLeaf> leaves; // In the order of the tree: by the host's name.
  v1::PlanAnnex annex;
  // Hosts of the plan that are not connected now: they are deferred, or waited for, as their stage says.
  struct Offline {
    std::string host;
    UnixMs last_contact = 0;        // 0: never.
  };
  std::vector<Offline> offline;
};

// nullopt when anything is wrong, which has then been reported.
std::optional<CompiledPlan> Compile(CompileRequest request, Diagnostics& diagnostics);

}  // namespace reprise::plan
