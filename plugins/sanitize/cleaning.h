// What taking findings away means for the files of a host: worked out entirely before anything is touched, so that a refusal
// leaves all as it was, and so that what follows is known and can be undone.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugins/sanitize/bundle.h"
#include "plugins/sanitize/package_files.h"

namespace reprise::sanitize {

// Whether what the finding names is still there, whatever else it contains now.
bool IsThere(const Tree& tree, const Finding& finding);

struct Operation {
  std::string path;
  bool removes = false;
  bool clears_mode = false;
  std::optional<std::string> content;     // Lines taken out.
  std::optional<PackageFile> from;        // Of a package.
  std::string after;                      // SHA-256 of what will be there; empty: nothing.
};

// Of the findings that are still there, those about files. Throws sdk::Error "not_in_evidence", "changed_since", "no_remedy",
// "artifact_missing", "wrong_package".
std::vector<Operation> WorkOut(const Tree& tree, const Bundle& bundle, const std::vector<Finding>& findings,
                               PackageFiles& packages);

// REQUIRES: as worked out. Safe to repeat.
void Carry(const Tree& tree, const Operation& operation);

// Ends every process that runs the finding's program; true if there was one. Throws sdk::Error "changed_since" (the program is
// another than the evidence has), "not_ended".
bool EndProcesses(const sdk::Context& context, const Finding& finding);

}  // namespace reprise::sanitize
