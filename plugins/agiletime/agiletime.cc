// AgileTime, staff time planning: its base restored, its service started without interfaces, its variable pay taken out as
// a file, its thin client on the posts that are admitted. All of it is the SDK's application adapter over profiles/; see
// README.md.
#include <map>
#include <string>

#include "plugins/sdk/application/export.h"
#include "plugins/sdk/application/health.h"
#include "plugins/sdk/application/post.h"
#include "plugins/sdk/application/restore.h"
#include "plugins/sdk/application/start.h"
#include "plugins/sdk/sdk.h"

namespace reprise::agiletime {

const std::map<std::string, std::string>& BuiltinProfiles();

namespace {

namespace application = sdk::application;

constexpr application::Adapter kAgileTime = {"agiletime", "agiletime", BuiltinProfiles};

struct Restore final : application::Restore {
  Restore() : application::Restore(kAgileTime) {}
};
struct Start final : application::Start {
  Start() : application::Start(kAgileTime) {}
};
struct Health final : application::Health {
  Health() : application::Health(kAgileTime) {}
};
struct Degraded final : application::Degraded {
  Degraded() : application::Degraded(kAgileTime) {}
};
struct ExportEvp final : application::Export {
  ExportEvp() : application::Export(kAgileTime, "evp", "Variable pay of a month as a file, reconciled, checksummed, signed") {}
};
struct Post final : application::PostAction {
  Post() : application::PostAction(kAgileTime) {}
};
struct Stop final : application::Stop {
  Stop() : application::Stop(kAgileTime) {}
};

}  // namespace
}  // namespace reprise::agiletime

using namespace reprise::agiletime;
REPRISE_PLUGIN("agiletime", "1.0.0", "AgileTime, staff time planning: restore, start, degraded mode, pay export, posts", Restore, Start,
               Health, Degraded, ExportEvp, Post, Stop)
