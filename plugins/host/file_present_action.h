// host.file-present: looks whether a file is there, with a content if one is given.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::host {

class FilePresentAction final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::host
