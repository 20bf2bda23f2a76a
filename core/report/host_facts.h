// A host of the state as selectors see it: what is in force, else what was declared. Private to core/report.
#pragma once

#include "core/plan/selector.h"
#include "reprise/journal/v1/state.pb.h"

namespace reprise::report::internal {

// Points into the record, which must outlive it.
plan::HostFacts FactsOf(const journal::v1::HostRecord& host);

}  // namespace reprise::report::internal
