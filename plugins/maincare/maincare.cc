// Maincare: administration (GAM), finance (GEF), patient record (DPI). Three bases restored in their order, one service
// under test, its protocol and the acceptance by the service's owner. All of it is the SDK's application adapter over
// profiles/; see README.md.
#include <map>
#include <string>

#include "plugins/sdk/application/acceptance.h"
#include "plugins/sdk/application/health.h"
#include "plugins/sdk/application/post.h"
#include "plugins/sdk/application/restore.h"
#include "plugins/sdk/application/start.h"
#include "plugins/sdk/sdk.h"

namespace reprise::maincare {

const std::map<std::string, std::string>& BuiltinProfiles();

namespace {

namespace application = sdk::application;

constexpr application::Adapter kMaincare = {"maincare", "maincare", BuiltinProfiles};

struct Restore final : application::Restore {
  Restore() : application::Restore(kMaincare) {}
};
struct Start final : application::Start {
  Start() : application::Start(kMaincare) {}
};
struct Health final : application::Health {
  Health() : application::Health(kMaincare) {}
};
struct Protocol final : application::RunsProtocol {
  Protocol() : application::RunsProtocol(kMaincare) {}
};
struct Degraded final : application::Degraded {
  Degraded() : application::Degraded(kMaincare) {}
};
struct Accept final : application::Accept {
  Accept() : application::Accept(kMaincare) {}
};
struct Post final : application::PostAction {
  Post() : application::PostAction(kMaincare) {}
};
struct Stop final : application::Stop {
  Stop() : application::Stop(kMaincare) {}
};

}  // namespace
}  // namespace reprise::maincare

using namespace reprise::maincare;
REPRISE_PLUGIN("maincare", "1.0.0", "Maincare's three modules: restore in order, start, test protocol, acceptance, posts", Restore, Start,
               Health, Protocol, Degraded, Accept, Post, Stop)
