// What the running server's index has, asked in two ways that know nothing of each other: its REST interface (the way that
// fills it) and C-FIND by dcmtk (the way that proves it).
#pragma once

#include <map>
#include <set>
#include <string>

#include "plugins/pacs/census.h"
#include "plugins/pacs/dicom_node.h"
#include "plugins/pacs/rest.h"

namespace reprise::pacs {

// SOPInstanceUID -> Orthanc's own identifier.
std::map<std::string, std::string> InstancesByRest(Rest& rest);
Counts CountsByRest(Rest& rest);

struct IndexView {
  std::set<std::string> patients, studies, series, instances;
  Counts counts() const { return {patients.size(), studies.size(), series.size(), instances.size()}; }
};

// `census` says only how many images to expect of a study, so that no answer becomes too large; studies that it does not
// have are asked for all the same.
IndexView ViewByFind(const DicomNode& node, const Census& census);

}  // namespace reprise::pacs
