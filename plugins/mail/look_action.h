// mail.compare and mail.verify: what is on both sides. They change nothing.
#pragma once

#include "plugins/sdk/action.h"

namespace reprise::mail {

// Counts and bytes of both sides of a batch, by state. No message is read.
class Compare final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

// Every message of a batch, read and hashed on both sides.
class Verify final : public sdk::ReadAction {
 public:
  sdk::ActionInfo Describe() const override;
  sdk::ProbeResult Probe(sdk::Context& context) override;
};

}  // namespace reprise::mail
