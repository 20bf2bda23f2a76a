// host.facts: what this host is, as JSON in `observed`.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class FactsAction final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::host
