// Statements about hosts ("reprise-host/v1"): what is to hold is worked out from what holds today, shown, signed with
// the person's key on this machine, and handed in together, in one call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/cli/context.h"
#include "core/cli/host_choice.h"
#include "core/model/statements.h"

namespace reprise::cli {

// What would be signed if nothing changed: as things stand, under the next serial. Whoever has not been admitted yet
// stays in quarantine: a statement about something else must not let a host in.
model::HostStatement StatementAsIs(const ops::HostView& host, UnixMs now);

struct HostChange {
  std::string question;  // "Admit these 12 hosts?"; the number is put for "$0".
  std::string done;      // "12 hosts admitted"; likewise.
  // Changes the statement of one host. An error refuses it all.
  std::function<absl::Status(const ops::HostView& host, model::HostStatement& statement)> change;
};

// Hosts of which everything is already so are left alone. Exit code 0, also when all are. Signed here by an admin, else
// PERMISSION_DENIED.
absl::StatusOr<int> StateHosts(Context& context, const HostChoice& choice, const HostChange& change);

// A word of the vocabulary from a flag. Usage error with the nearest.
absl::StatusOr<model::v1::Zone> ReadZone(const std::string& word);

}  // namespace reprise::cli
