#include "plugins/edr/service_control.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "plugins/edr/sensor.h"
#include "plugins/edr/standing.h"

namespace reprise::edr {
namespace {

using sdk::Error;
using sdk::Supervisor;

constexpr std::chrono::seconds kUpMax(120);  // A vendor's whole base takes half a minute to load.

std::string EndOfLog(const Profile& profile) {
  if (profile.log.empty()) return "";
  std::ifstream file(profile.log, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  std::string text(static_cast<size_t>(std::min<std::streamoff>(size, 400)), '\0');
  file.seekg(size - static_cast<std::streamoff>(text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return "; the end of its log: " + text;
}

void WaitUntilItAnswers(const sdk::Context& context, const Profile& profile) {
  const auto until = std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(kUpMax, context.TimeLeft());
  const auto sensor = MakeSensor(context, profile.sensor);
  for (;;) {
    context.ThrowIfCancelled();
    std::string why;
    try {
      sensor->Version();
      return;
    } catch (const Error& error) {
      if (error.code() == "cancelled") throw;
      why = error.what();
    }
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("service_failed", "the sensor was started and does not answer: " + why + EndOfLog(profile),
                  "look at the sensor's own log on this host");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

void BringUp(const sdk::Context& context, const Profile& profile, const sdk::Services& services) {
  const std::string name = ServiceName(profile, services);
  if (services.supervisor() == Supervisor::kRunit) {
    services.InstallRunit(name, profile.runit_run);
  } else {
    sdk::RunOrThrow(context, {"systemctl", "daemon-reload"});
    sdk::RunOrThrow(context, {"systemctl", "enable", "--", name + ".service"});
  }
  context.Progress(0.8, "starting " + name);
  if (services.State(name) == sdk::ServiceState::kRunning) {
    services.Restart(name);
  } else {
    services.Start(name);
  }
  context.Progress(0.9, "waiting for the sensor to answer");
  WaitUntilItAnswers(context, profile);
}

bool TakeDown(const sdk::Context& context, const Profile& profile, const sdk::Services& services) {
  if (services.supervisor() == Supervisor::kNone) return false;
  const std::string name = ServiceName(profile, services);
  if (services.supervisor() == Supervisor::kRunit) return services.RemoveRunit(name);
  if (services.State(name) == sdk::ServiceState::kMissing) return false;
  // Its socket would start it again.
  sdk::Run(context, {"systemctl", "disable", "--now", "--", name + ".socket"});
  sdk::Run(context, {"systemctl", "disable", "--", name + ".service"});
  services.Stop(name);
  return true;
}

}  // namespace reprise::edr
