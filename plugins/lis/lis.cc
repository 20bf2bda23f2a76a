// The laboratory: its base restored, its service started, its HL7 interface moved step by step. What is common to
// applications is the SDK's adapter over profiles/; the interface is this plugin's own. See README.md.
#include "plugins/lis/adapter.h"
#include "plugins/lis/interface_action.h"
#include "plugins/sdk/application/acceptance.h"
#include "plugins/sdk/application/health.h"
#include "plugins/sdk/application/restore.h"
#include "plugins/sdk/application/start.h"
#include "plugins/sdk/sdk.h"

namespace reprise::lis {
namespace {

namespace application = sdk::application;

struct Restore final : application::Restore {
  Restore() : application::Restore(kAdapter) {}
};
struct Start final : application::Start {
  Start() : application::Start(kAdapter) {}
};
struct Degraded final : application::Degraded {
  Degraded() : application::Degraded(kAdapter) {}
  application::Profile SeenProfile(const sdk::Context& context) const override { return WithoutOpened(context); }
};
struct RunsProtocol final : application::RunsProtocol {
  RunsProtocol() : application::RunsProtocol(kAdapter) {}
};
struct Accept final : application::Accept {
  Accept() : application::Accept(kAdapter) {}
  application::Profile SeenProfile(const sdk::Context& context) const override { return WithoutOpened(context); }
};
struct Stop final : application::Stop {
  Stop() : application::Stop(kAdapter) {}
};

}  // namespace
}  // namespace reprise::lis

using namespace reprise::lis;
REPRISE_PLUGIN("lis", "1.0.0", "Laboratory: restore, start, degraded mode, acceptance, HL7 interface step by step", Restore, Start,
               HealthAction, Degraded, RunsProtocol, Accept, InterfaceAction, ReconcileAction, Stop)
