#include "plugins/pacs/server.h"

#include <pwd.h>

#include <thread>

#include "plugins/pacs/rest.h"
#include "plugins/sdk/process.h"

namespace reprise::pacs {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::ServiceState;

constexpr const char* kProgram = "/usr/sbin/Orthanc";
constexpr std::chrono::seconds kUpMax(120);  // A large index takes a while to open.
constexpr std::chrono::seconds kDownMax(60);

struct Owner {
  uid_t user;
  gid_t group;
};

Owner OwnerOf(const std::string& user) {
  const passwd* found = getpwnam(user.c_str());
  if (found == nullptr) throw Error("no_user", "this host has no user " + user, "the package orthanc makes the user orthanc");
  if (found->pw_uid == 0) throw Error("bad_params", "parameter user is " + user + ", which is root: the server needs no such rights");
  return {found->pw_uid, found->pw_gid};
}

void Own(const fs::path& path, uid_t user, gid_t group, mode_t mode) {
  if (chown(path.c_str(), user, group) != 0 || chmod(path.c_str(), mode) != 0) sdk::ThrowErrno(errno, "own " + path.string());
}

void MakeFolders(const Place& place, const Owner& owner) {
  fs::create_directories(place.folder);
  // Others may pass, to what is theirs, and not look.
  Own(place.folder, 0, 0, 0711);
  for (const fs::path& folder : {place.storage(), place.index(), place.log()}) {
    fs::create_directories(folder);
    Own(folder, owner.user, owner.group, 0700);
  }
}

// The configuration holds a password.
void WriteConfiguration(const Place& place, const std::string& text, const Owner& owner) {
  sdk::WriteFileAtomically(place.configuration(), text, 0600);
  Own(place.configuration(), 0, owner.group, 0640);
}

bool IsConfigured(const Place& place, const Settings& wanted) {
  return sdk::ReadFileIfThere(place.configuration()) == Configuration(wanted, place);
}

fs::path DownMark(const Place& place) { return fs::path("/etc/service") / place.service / "down"; }

}  // namespace

sdk::application::ServiceSpec ServiceOf(const Place& place, const std::string& user) {
  sdk::application::ServiceSpec spec;
  spec.name = place.service;
  spec.title = "imaging server of " + place.folder.string();
  spec.user = user;
  spec.command = {kProgram, "--logdir=" + place.log().string(), place.configuration().string()};
  spec.reads = {place.configuration().string(), "/etc/localtime"};  // Orthanc does not start without the host's time zone.
  spec.writes = {place.storage().string(), place.index().string(), place.log().string()};
  return spec;
}

std::vector<sdk::Change> ChangesToRun(const sdk::Context& context, const sdk::Services& services, const Place& place,
                                      const Settings& wanted, const std::string& user) {
  std::vector<sdk::Change> changes;
  if (!IsConfigured(place, wanted)) {
    const auto now = ConfiguredSettings(place);
    changes.push_back({"file " + place.configuration().string(), now ? "other settings" : "absent",
                       wanted.title + " on ports " + std::to_string(wanted.dicom_port) + " (DICOM) and " +
                           std::to_string(wanted.http_port) + " (REST, this host only), " +
                           std::to_string(wanted.viewers.size()) + " viewers, " +
                           std::to_string(wanted.modalities.size()) + " modalities"});
  }
  if (!sdk::application::IsInstalled(services, ServiceOf(place, user))) {
    changes.push_back({"service " + place.service, "not as wanted", kProgram + std::string(" as ") + user});
  }
  const ServiceState state = services.State(place.service);
  const std::string why = state == ServiceState::kRunning ? WhyNotAnswering(context, wanted) : std::string(NameOf(state));
  if (!why.empty()) changes.push_back({"server " + wanted.title, why, "running"});
  return changes;
}

void BringUp(const sdk::Context& context, const sdk::Services& services, const Place& place, const Settings& wanted,
             const std::string& user) {
  const Owner owner = OwnerOf(user);
  if (!fs::exists(kProgram)) throw Error("no_program", std::string(kProgram) + " is not on this host", "install the package orthanc");
  if (services.supervisor() == sdk::Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: the server cannot be kept running");
  }
  MakeFolders(place, owner);
  const bool configured = IsConfigured(place, wanted);
  if (!configured) {
    context.Progress(0.1, "writing the configuration");
    TakeDown(context, services, place);
    WriteConfiguration(place, Configuration(wanted, place), owner);
  }
  sdk::application::Install(context, services, ServiceOf(place, user));
  if (services.supervisor() == sdk::Supervisor::kRunit) sdk::RemoveFile(DownMark(place));
  if (services.supervisor() == sdk::Supervisor::kSystemd) sdk::RunOrThrow(context, {"systemctl", "enable", "--", place.service + ".service"});
  context.Progress(0.4, "starting " + place.service);
  services.Start(place.service);
  const auto until = std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(kUpMax, context.TimeLeft());
  for (;;) {
    const std::string why = WhyNotAnswering(context, wanted);
    if (why.empty()) return;
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("service_failed", "the server was started and does not answer: " + why, "look at its log in " + place.log().string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

bool TakeDown(const sdk::Context& context, const sdk::Services& services, const Place& place) {
  const ServiceState state = services.State(place.service);
  if (services.supervisor() == sdk::Supervisor::kNone || state == ServiceState::kMissing) return false;
  if (services.supervisor() == sdk::Supervisor::kRunit) {
    sdk::WriteFileAtomically(DownMark(place), "");
    // Asked to end by itself first, for bubblewrap hands no signal on; and not to be begun anew when it has.
    sdk::Run(context, {"sv", "once", DownMark(place).parent_path().string()});
  } else {
    sdk::Run(context, {"systemctl", "disable", "--", place.service + ".service"});
  }
  try {
    if (const auto settings = ConfiguredSettings(place); settings && state == ServiceState::kRunning) {
      Rest(context, *settings).Post("/tools/shutdown", "");
      const auto until = std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(kDownMax, context.TimeLeft());
      while (services.State(place.service) == ServiceState::kRunning && std::chrono::steady_clock::now() < until) {
        context.ThrowIfCancelled();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
  } catch (const Error& error) {
    if (error.code() == "cancelled") throw;
    context.Log(sdk::LogLevel::kWarning, std::string("the server is stopped without being asked first: ") + error.what());
  }
  services.Stop(place.service);
  return state == ServiceState::kRunning;
}

std::string WhyNotAnswering(const sdk::Context& context, const Settings& settings) {
  try {
    const Response response = Rest(context, settings).Get("/system");
    if (!response.ok()) return "its REST interface gives status " + std::to_string(response.status);
    const std::string title = response.Parsed().value("DicomAet", "");
    return title == settings.title ? "" : "what answers on port " + std::to_string(settings.http_port) + " is " + title.substr(0, 40);
  } catch (const Error& error) {
    if (error.code() == "cancelled") throw;
    return error.what();
  }
}

}  // namespace reprise::pacs
