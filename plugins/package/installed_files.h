// Whether the files on this host are those of a package: by the sums that stand in the package itself, whose hash
// people signed, and by dpkg's own check.
#pragma once

#include <string>
#include <vector>

#include "plugins/package/deb_file.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/results.h"

namespace reprise::package {

struct FilesVerdict {
  std::string why_not;  // Empty: they are.
  std::vector<sdk::Evidence> evidence;
};

// Files of configuration may differ: they are the host's. Documentation may be missing: hosts may leave it out.
FilesVerdict CompareFiles(const sdk::Context& context, const DebFile& deb);

}  // namespace reprise::package
