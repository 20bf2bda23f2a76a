// edr.heartbeat: does the sensor protect now, with a base that is not too old? Only looks.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::edr {

class Heartbeat final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::edr
