#include "plugins/backup/actions/holder_service.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "plugins/sdk/notes.h"
#include "plugins/sdk/service.h"

namespace reprise::backup {
namespace {

using sdk::Error;
using sdk::Json;
using Steady = std::chrono::steady_clock;

constexpr size_t kAnswerMax = 64 << 10;
constexpr std::chrono::seconds kAnswerTime(30);  // A disk that spins up, an array that is slow.
constexpr std::chrono::seconds kSeenTime(8);  // runit looks for new services every 5 seconds.
constexpr std::chrono::seconds kStopTime(30);

std::string Key(const std::string& name) { return "attach-" + name; }

// In a run script: nothing that a shell would read otherwise.
void RequirePlain(const std::string& path) {
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::strchr("/._+-", c) != nullptr;
    if (!plain) throw Error("bad_params", "the program's path has letters that are not plain: " + path);
  }
}

}  // namespace

HolderService::HolderService(const sdk::Context& context, const std::string& name) : context_(context), name_(name) {
  if (!sdk::IsName(name) || name.size() > 60) throw Error("bad_params", "parameter name is no name, or longer than 60 letters");
}

std::optional<Json> HolderService::Ask() const {
  const std::string path = Socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
  const sdk::Fd peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!peer) sdk::ThrowErrno(errno, "a socket");
  const timeval limit{kAnswerTime.count(), 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(peer.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    sdk::ThrowErrno(errno, "connect to " + path);
  }
  std::string text;
  char buffer[8192];
  while (text.size() < kAnswerMax) {
    const ssize_t got = read(peer.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("holder_silent", "the holder of " + name_ + " accepts and does not answer: " + std::strerror(errno));
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  const Json answer = Json::parse(text, nullptr, false);
  if (!answer.is_object()) return std::nullopt;  // It was ending.
  return answer;
}

Json HolderService::WaitForAnswer() const {
  const auto begun = Steady::now();
  const auto until = begun + kAnswerTime;
  const sdk::Services services(context_);
  for (;;) {
    context_.ThrowIfCancelled();
    if (auto answer = Ask()) return *std::move(answer);
    const bool runit = services.supervisor() == sdk::Supervisor::kRunit;
    if (runit && Steady::now() - begun > kSeenTime && services.State(Unit()) == sdk::ServiceState::kUnknown) {
      throw Error("attach_failed", "runit does not supervise the service " + Unit(), "is runsvdir running on this host?");
    }
    if (Steady::now() >= until) {
      throw Error("attach_failed", "the holder of " + name_ + " was started and does not answer",
                  "look at the log of the service " + Unit() + " on this host");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void HolderService::Start(const Wanted& wanted, const std::string& program) const {
  RequirePlain(program);
  const sdk::Notes notes("backup");
  const std::string file = (notes.folder() / (Key(name_) + ".json")).string();
  notes.Put(Key(name_), ToJson(wanted));
  const sdk::Services services(context_);
  if (services.supervisor() == sdk::Supervisor::kSystemd) {
    // Transient: a copy is not attached by itself after the host was started anew.
    sdk::RunOrThrow(context_, {"systemd-run", "--unit=" + Unit(), "--collect", "--property=Restart=on-failure", "--", program, file});
  } else if (services.supervisor() == sdk::Supervisor::kRunit) {
    services.InstallRunit(Unit(), "#!/bin/sh\nexec " + program + " " + file + "\n");
  } else {
    throw Error("no_supervisor", "neither systemd nor runit runs this host: nobody can hold the copy attached");
  }
  const Json answer = WaitForAnswer();
  if (answer.contains("error")) {
    const std::string why = answer["error"].dump();
    Stop();
    throw Error("attach_failed", "the copy could not be attached: " + why);
  }
}

bool HolderService::Stop() const {
  const sdk::Services services(context_);
  bool was = false;
  if (services.supervisor() == sdk::Supervisor::kSystemd) {
    const sdk::ServiceState state = services.State(Unit());
    was = state == sdk::ServiceState::kRunning || state == sdk::ServiceState::kFailed;
    if (was) sdk::RunOrThrow(context_, {"systemctl", "stop", "--", Unit() + ".service"});
  } else if (services.supervisor() == sdk::Supervisor::kRunit) {
    was = services.RemoveRunit(Unit());
  }
  const auto until = Steady::now() + kStopTime;
  while (Ask()) {
    context_.ThrowIfCancelled();
    if (Steady::now() >= until) {
      throw Error("service_failed", "the holder of " + name_ + " goes on although its service was stopped");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return sdk::Notes("backup").Forget(Key(name_)) || was;
}

}  // namespace reprise::backup
