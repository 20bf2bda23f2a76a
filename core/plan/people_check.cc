#include "core/plan/people_check.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace reprise::plan {
namespace {

using model::v1::ROLE_ADMIN;
using model::v1::ROLE_APPROVER;
using model::v1::ROLE_OPERATOR;

std::vector<std::string> ActiveApprovers(const model::Keyring& keyring) {
  std::vector<std::string> names;
  for (const auto& [name, person] : keyring.operators()) {
    if (person.active && person.Has(ROLE_APPROVER)) names.push_back(name);
  }
  return names;
}

void CheckGate(const GateSpec& gate, const model::Keyring& keyring, const std::string& requester,
               Diagnostics& diagnostics) {
  const std::vector<std::string> known = ActiveApprovers(keyring);
  std::vector<std::string> eligible = known;
  if (!gate.approvers.empty()) {
    eligible.clear();
    for (const Placed& approver : gate.approvers) {
      if (std::find(known.begin(), known.end(), approver.text) != known.end()) {
        eligible.push_back(approver.text);
        continue;
      }
      const model::Operator* person = keyring.Find(approver.text);
      diagnostics
          .Error(approver.place, absl::StrCat(approver.text, person == nullptr ? " is nobody whom the keyring names"
                                                             : !person->active ? " is revoked"
                                                                               : " does not have the role approver"))
          .ExpectedOneOf(known)
          .Nearest(approver.text, known);
    }
    if (eligible.size() < gate.approvers.size()) return;  // Told already.
  }
  std::erase(eligible, requester);
  if (eligible.size() >= gate.quorum) return;
  diagnostics
      .Error(gate.place,
             absl::StrCat("the gate wants ", gate.quorum, " approval(s), and only ", eligible.size(),
                          " of the people can give one", eligible.empty() ? "" : ": ", absl::StrJoin(eligible, ", ")))
      .Expected(absl::StrCat("approvers enough beside ", requester, ", who asks for the plan and does not count"))
      .Hint("lower quorum, name more approvers, or let another person ask for the plan");
}

}  // namespace

void CheckPeople(const Workflow& workflow, const model::Keyring& keyring, const std::string& requester,
                 model::v1::Effect effect, Diagnostics& diagnostics) {
  const model::Operator* person = keyring.Find(requester);
  if (person == nullptr || !person->active) {
    std::vector<std::string> names;
    for (const auto& [name, each] : keyring.operators()) {
      if (each.active) names.push_back(name);
    }
    diagnostics
        .Error({}, absl::StrCat("the requester ", requester,
                                person == nullptr ? " is nobody whom the keyring names" : " is revoked"))
        .ExpectedOneOf(names)
        .Nearest(requester, names);
  }
  for (const StageSpec& stage : workflow.stages) {
    if (stage.gate) CheckGate(*stage.gate, keyring, requester, diagnostics);
    if (stage.waves.gate) CheckGate(*stage.waves.gate, keyring, requester, diagnostics);
  }
  const uint32_t needed = keyring.policy().SignaturesFor(effect);
  const auto may_sign = std::count_if(keyring.operators().begin(), keyring.operators().end(), [](const auto& entry) {
    const model::Operator& each = entry.second;
    return each.active && (each.Has(ROLE_OPERATOR) || each.Has(ROLE_APPROVER) || each.Has(ROLE_ADMIN));
  });
  if (static_cast<uint32_t>(may_sign) >= needed) return;
  diagnostics
      .Error(workflow.place, absl::StrCat("the plan would ", model::NameOf(effect), ", which takes ", needed,
                                          " signatures, and only ", may_sign, " of the people may sign"))
      .Expected("more active operators in the keyring");
}

}  // namespace reprise::plan
