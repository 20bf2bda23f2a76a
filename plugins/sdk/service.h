// Services of the host, under systemd (systemctl) or runit (sv, run directories /etc/service/<name>), whichever runs it.
// States come from the supervisor itself; what it does not say is kUnknown, never kStopped.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::sdk {

enum class Supervisor { kNone, kSystemd, kRunit };
enum class ServiceState { kUnknown, kMissing, kStopped, kRunning, kFailed };

inline std::string_view NameOf(ServiceState state) {
  switch (state) {
    case ServiceState::kMissing: return "missing";
    case ServiceState::kStopped: return "stopped";
    case ServiceState::kRunning: return "running";
    case ServiceState::kFailed: return "failed";
    case ServiceState::kUnknown: break;
  }
  return "unknown";
}

class Services {
 public:
  // `runit_folder` differs in tests only.
  explicit Services(const Context& context, std::filesystem::path runit_folder = "/etc/service")
      : context_(context), runit_(std::move(runit_folder)), supervisor_(Detect(runit_)) {}

  Supervisor supervisor() const { return supervisor_; }

  // REQUIRES in all of these: `name` passes IsName.
  ServiceState State(const std::string& name) const;
  // Returns once it runs (stopped, restarted); throws Error "service_failed" if it does not within `wait`.
  void Start(const std::string& name, std::chrono::seconds wait = std::chrono::seconds(30)) const;
  void Stop(const std::string& name, std::chrono::seconds wait = std::chrono::seconds(30)) const;
  void Restart(const std::string& name, std::chrono::seconds wait = std::chrono::seconds(30)) const;

  // runit: makes /etc/service/<name>/run, which the supervisor picks up within 5 seconds. True if anything changed.
  bool InstallRunit(const std::string& name, const std::string& run_script) const;
  // runit: stops it and takes its directory away. True if there was one.
  bool RemoveRunit(const std::string& name) const;

 private:
  static Supervisor Detect(const std::filesystem::path& runit_folder);
  std::string Folder(const std::string& name) const;
  void Do(const char* verb, const std::string& name, ServiceState wanted, std::chrono::seconds wait) const;
  void WaitFor(const std::string& name, ServiceState wanted, std::chrono::steady_clock::time_point until) const;
  bool Supervised(const std::string& name) const;

  const Context& context_;
  std::filesystem::path runit_;
  Supervisor supervisor_;
};

// ---- implementation ----

inline Supervisor Services::Detect(const std::filesystem::path& runit_folder) {
  std::error_code ignored;
  if (std::filesystem::is_directory("/run/systemd/system", ignored)) return Supervisor::kSystemd;
  if (std::filesystem::is_directory(runit_folder, ignored)) return Supervisor::kRunit;
  return Supervisor::kNone;
}

inline std::string Services::Folder(const std::string& name) const {
  if (!IsName(name)) {
    throw Error("bad_params", "service name " + name.substr(0, 80) + " is not letters, digits and . _ + : @ -");
  }
  return (runit_ / name).string();
}

inline ServiceState Services::State(const std::string& name) const {
  const std::string folder = Folder(name);
  if (supervisor_ == Supervisor::kSystemd) {
    const RunResult shown =
        Run(context_, {"systemctl", "show", "--property=LoadState,ActiveState", "--", name + ".service"});
    const auto says = [&](const char* text) { return shown.out.find(text) != std::string::npos; };
    if (!shown.ok()) return ServiceState::kUnknown;
    if (says("LoadState=not-found")) return ServiceState::kMissing;
    if (says("ActiveState=active") || says("ActiveState=reloading")) return ServiceState::kRunning;
    if (says("ActiveState=failed")) return ServiceState::kFailed;
    return says("ActiveState=inactive") ? ServiceState::kStopped : ServiceState::kUnknown;
  }
  if (supervisor_ == Supervisor::kRunit) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder + "/run", ignored)) return ServiceState::kMissing;
    // "run: /etc/service/clamd: (pid 12) 3s", "down: …", "fail: …: supervise not running"
    const RunResult status = Run(context_, {"sv", "status", folder});
    if (status.out.rfind("run:", 0) == 0) return ServiceState::kRunning;
    if (status.out.rfind("down:", 0) == 0) return ServiceState::kStopped;
  }
  return ServiceState::kUnknown;
}

inline bool Services::Supervised(const std::string& name) const {
  // The pipe has a reader only while runsv is there.
  return bool(Fd(open((Folder(name) + "/supervise/ok").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)));
}

inline void Services::WaitFor(const std::string& name, ServiceState wanted,
                              std::chrono::steady_clock::time_point until) const {
  ServiceState state;
  while ((state = State(name)) != wanted) {
    context_.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("service_failed",
                  "service " + name + " is " + std::string(NameOf(state)) + ", expected " + std::string(NameOf(wanted)),
                  "look at the service's own log on this host");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

inline void Services::Do(const char* verb, const std::string& name, ServiceState wanted,
                         std::chrono::seconds wait) const {
  const std::string folder = Folder(name);
  const auto until = std::chrono::steady_clock::now() + wait;
  if (supervisor_ == Supervisor::kNone) {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: service " + name + " cannot be controlled");
  }
  if (supervisor_ == Supervisor::kSystemd) {
    RunOptions options;
    options.timeout = wait;
    const RunResult done = Run(context_, {"systemctl", verb, "--", name + ".service"}, options);
    if (!done.ok()) throw Error("service_failed", "systemctl " + std::string(verb) + " " + name + ": " + done.Why());
  } else {
    while (!Supervised(name)) {  // A new directory is seen after at most 5 seconds.
      context_.ThrowIfCancelled();
      if (std::chrono::steady_clock::now() >= until) {
        throw Error("service_failed", "runit does not supervise " + folder, "is runsvdir running on this host?");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    RunOrThrow(context_, {"sv", "-w", std::to_string(wait.count()), verb, folder});
  }
  WaitFor(name, wanted, until);
}

inline void Services::Start(const std::string& name, std::chrono::seconds wait) const {
  Do("start", name, ServiceState::kRunning, wait);
}
inline void Services::Stop(const std::string& name, std::chrono::seconds wait) const {
  Do("stop", name, ServiceState::kStopped, wait);
}
inline void Services::Restart(const std::string& name, std::chrono::seconds wait) const {
  Do("restart", name, ServiceState::kRunning, wait);
}

inline bool Services::InstallRunit(const std::string& name, const std::string& run_script) const {
  const std::string folder = Folder(name);
  if (ReadFileIfThere(folder + "/run") == run_script) return false;
  std::filesystem::create_directories(folder);
  WriteFileAtomically(folder + "/run", run_script, 0755);
  return true;
}

inline bool Services::RemoveRunit(const std::string& name) const {
  const std::string folder = Folder(name);
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) return false;
  // Stops the service and lets runsv go, so that nothing writes into the directory any more.
  if (Supervised(name)) Run(context_, {"sv", "force-shutdown", folder});
  // Out of the supervisor's sight first: a name with a dot is not supervised.
  const std::string away = (runit_ / ("." + name + ".removed")).string();
  std::filesystem::remove_all(away);
  std::filesystem::rename(folder, away);
  std::filesystem::remove_all(away);
  return true;
}

}  // namespace reprise::sdk
