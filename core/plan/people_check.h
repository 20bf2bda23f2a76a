// Whether the people whom a plan needs exist: its requester, its gates' approvers, and enough who may sign it.
// Private to core/plan.
#pragma once

#include <string>

#include "core/model/keyring.h"
#include "core/plan/diagnostics.h"
#include "core/plan/workflow.h"

namespace reprise::plan {

// Everything that is found wrong is reported at its gate, or at the workflow.
void CheckPeople(const Workflow& workflow, const model::Keyring& keyring, const std::string& requester,
                 model::v1::Effect effect, Diagnostics& diagnostics);

}  // namespace reprise::plan
