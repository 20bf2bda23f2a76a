// edr.scan: every file below some paths, asked of the running sensor. Only looks; not scanned is never clean.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::edr {

class Scan final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::edr
