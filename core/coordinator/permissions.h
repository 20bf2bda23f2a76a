// Which role each method of the operators' service asks for. A method without a row is refused.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/model/keyring.h"

namespace reprise::coordinator {

// OK, PERMISSION_DENIED with the roles that would do, or UNIMPLEMENTED: no row. `keyring`: nullptr before there is one.
absl::Status CheckPermission(const model::Keyring* keyring, const std::string& person, const std::string& method);

// Every method that has a row.
std::set<std::string> PermittedMethods();

}  // namespace reprise::coordinator
