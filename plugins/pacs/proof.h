// The proof that a running server gives what its storage had: every instance of the storage as dcmtk reads it, against
// every instance of the index as dcmtk is told it, and a sample of images fetched back and compared byte for byte.
#pragma once

#include <string>
#include <vector>

#include "plugins/pacs/census.h"
#include "plugins/pacs/place.h"
#include "plugins/pacs/settings.h"
#include "plugins/sdk/results.h"

namespace reprise::pacs {

struct Proof {
  Census census;
  Counts by_find, by_rest;
  std::vector<std::string> missing;    // In the storage, not in the index.
  std::vector<std::string> extra;      // In the index, not in the storage.
  uint64_t fetched_by_rest = 0, fetched_by_get = 0;
  std::vector<std::string> different;  // Of the sample: SOPInstanceUID and why.
  bool may_have_more = false;          // Interfaces bring new images: then extra ones are no fault.
  std::vector<sdk::Evidence> evidence;

  // Everything that can be read is in the index, and what was fetched is what was kept.
  bool IsIndexWhole() const;
  // That, and the storage itself is whole.
  bool IsDataOk() const { return IsIndexWhole() && census.IsWhole(); }
  // For people: what does not hold, or the counts.
  std::string Detail() const;
};

// `sample`: so many images are fetched back, spread over all of them.
// Throws Error "unreachable" or "refused" if the server does not answer as it should.
Proof Prove(const sdk::Context& context, const Place& place, const Settings& settings, size_t sample);

}  // namespace reprise::pacs
