// Whether this host may read suspect copies: that it can reach nobody but those that are named. Looks at the routes, and
// tries addresses that must not answer.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::backup {

class ReaderHost final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::backup
