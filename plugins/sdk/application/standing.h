// Where the application stands on this host, looked at from its data upwards: bases, service, interfaces, acceptance.
// Changes nothing. Looking at the service and at interfaces needs the network.
#pragma once

#include <string>
#include <vector>

#include "plugins/sdk/application/checks.h"
#include "plugins/sdk/application/ladder.h"
#include "plugins/sdk/application/sockets.h"
#include "plugins/sdk/notes.h"

namespace reprise::sdk::application {

struct Looked {
  ClaimState state = ClaimState::kUnknown;
  std::string text;
  std::vector<Evidence> evidence;
};

inline ClaimState StateOf(Outcome outcome) {
  return outcome == Outcome::kPassed ? ClaimState::kHolds : outcome == Outcome::kFailed ? ClaimState::kFails : ClaimState::kUnknown;
}

// Every module's base is there, marked, and passes its checks.
inline Looked LookAtBases(const Context& context, const Profile& profile, const Postgres& postgres) {
  Looked looked{ClaimState::kHolds, "", {}};
  const auto worse = [&](ClaimState state) {
    if (looked.state != ClaimState::kFails) looked.state = state == ClaimState::kHolds ? looked.state : state;
  };
  for (const Module& module : profile.modules) {
    const BaseFound base = LookAtBase(context, postgres, module);
    std::string text = module.name + ": ";
    switch (base.state) {
      case BaseState::kUnknown: worse(ClaimState::kUnknown), text += base.why; break;
      case BaseState::kForeign: worse(ClaimState::kFails), text += base.why; break;
      case BaseState::kMissing: worse(ClaimState::kFails), text += "not restored"; break;
      case BaseState::kRestored: {
        const Checked checked = RunChecks(context, profile, postgres, module.checks, /*fresh=*/false);
        worse(StateOf(checked.Worst()));
        text += std::to_string(base.mark.rows) + " rows restored from " + base.mark.manifest_sha256.substr(0, 12) + ", " +
                checked.Summary();
        for (Evidence& item : checked.AsEvidence()) looked.evidence.push_back(std::move(item));
      }
    }
    looked.evidence.push_back({"base", text});
    looked.text += (looked.text.empty() ? "" : "; ") + text;
  }
  if (profile.modules.empty()) looked.text = "no module has a base";
  return looked;
}

// It runs under its supervisor, and passes its checks.
inline Looked LookAtService(const Context& context, const Profile& profile, const Postgres& postgres) {
  const Services services(context);
  const ServiceState state = services.State(profile.service.spec.name);
  Looked looked;
  looked.text = "service " + profile.service.spec.name + " is " + std::string(NameOf(state));
  looked.evidence.push_back({"service", looked.text});
  if (state == ServiceState::kUnknown) return looked;
  looked.state = ClaimState::kFails;
  if (state != ServiceState::kRunning) return looked;
  const Checked checked = RunChecks(context, profile, postgres, profile.service.checks, /*fresh=*/false);
  looked.state = StateOf(checked.Worst());
  looked.text += ", " + checked.Summary();
  for (Evidence& item : checked.AsEvidence()) looked.evidence.push_back(std::move(item));
  return looked;
}

// Whether `socket` belongs to `interface`: listens on its port, or is connected to or from its other end.
inline bool Belongs(const TcpSocket& socket, const Interface& interface) {
  for (const int port : interface.listens) {
    if (socket.local_port == port && (socket.listens || socket.connected)) return true;
  }
  if (!socket.connected) return false;
  for (const std::string& end : interface.connects) {
    const size_t colon = end.rfind(':');
    std::string address = end.substr(0, colon);
    if (address.size() > 2 && address.front() == '[') address = address.substr(1, address.size() - 2);
    if (socket.remote_port == std::stoi(end.substr(colon + 1)) && (address.empty() || address == socket.remote)) return true;
  }
  return false;
}

// No interface of the profile listens or is connected.
inline Looked LookAtInterfaces(const Profile& profile, const std::optional<std::vector<TcpSocket>>& sockets) {
  Looked looked;
  if (!sockets) {
    looked.text = "the kernel does not tell this host's sockets";
    return looked;
  }
  std::string open, closed;
  for (const Interface& interface : profile.interfaces) {
    std::string found;
    for (const TcpSocket& socket : *sockets) {
      if (!Belongs(socket, interface)) continue;
      found = socket.listens ? "listens on " + socket.local + ":" + std::to_string(socket.local_port)
                             : "is connected, " + socket.local + ":" + std::to_string(socket.local_port) + " with " +
                                   socket.remote + ":" + std::to_string(socket.remote_port);
    }
    const std::string text = "interface " + interface.name + (found.empty() ? " neither listens nor is connected" : " " + found);
    looked.evidence.push_back({"socket", text});
    if (!found.empty()) open += (open.empty() ? "" : "; ") + text;
    closed += (closed.empty() ? "" : ", ") + interface.name;
  }
  looked.state = open.empty() ? ClaimState::kHolds : ClaimState::kFails;
  if (closed.empty()) closed = "the profile has none";
  looked.text = open.empty() ? "no interface is open: " + closed + " (" + std::to_string(sockets->size()) + " sockets looked at)" : open;
  return looked;
}

// What a person accepted, as it was noted.
inline std::string AcceptanceKey(const Profile& profile) { return "acceptance-" + profile.name; }
inline std::string DegradedKey(const Profile& profile) { return "degraded-" + profile.name; }

// The acceptance is of this protocol and of the very data that are restored now.
inline Looked LookAtAcceptance(const Context& context, const Profile& profile, const Postgres& postgres, const Notes& notes) {
  const auto note = notes.Get(AcceptanceKey(profile));
  if (!note) return {ClaimState::kFails, "not accepted by " + profile.protocol->owner + " yet", {}};
  if (note->value("protocol", "") != profile.protocol->id) {
    return {ClaimState::kFails, "accepted was protocol " + note->value("protocol", "") + ", asked is " + profile.protocol->id, {}};
  }
  for (const Module& module : profile.modules) {
    const BaseFound base = LookAtBase(context, postgres, module);
    if (base.state == BaseState::kUnknown) return {ClaimState::kUnknown, base.why, {}};
    const Json manifests = note->value("manifests", Json::object());
    if (base.state != BaseState::kRestored || manifests.value(module.name, "") != base.mark.manifest_sha256) {
      return {ClaimState::kFails, "module " + module.name + " has other data than those that were accepted", {}};
    }
  }
  const std::string text = "accepted by " + note->value("owner", "") + ", protocol " + note->value("protocol", "") +
                           ", reference " + note->value("reference", "");
  return {ClaimState::kHolds, text, {{"acceptance", text}}};
}

inline void Append(std::vector<Evidence>& to, std::vector<Evidence> more) {
  for (Evidence& item : more) to.push_back(std::move(item));
}

// The rungs as they are now. The highest is looked at only where somebody has asked for it: `degraded` was applied, or
// the protocol accepted.
struct Standing {
  Ladder ladder;
  std::vector<Evidence> evidence;
  Looked service, interfaces;

  static Standing Of(const Context& context, const std::string& plugin, const Profile& profile, bool up_to_degraded) {
    const Postgres postgres(context, profile.cluster);
    const Notes notes(plugin);
    Standing standing{Ladder(plugin), {}, {}, {}};
    if (!profile.modules.empty()) {
      Looked bases = LookAtBases(context, profile, postgres);
      standing.ladder.Put(Rung::kRestored, bases.state, bases.text);
      Append(standing.evidence, std::move(bases.evidence));
    }
    standing.service = LookAtService(context, profile, postgres);
    standing.ladder.Put(Rung::kInTest, standing.service.state, standing.service.text);
    Append(standing.evidence, standing.service.evidence);
    if (!up_to_degraded) return standing;
    standing.interfaces = LookAtInterfaces(profile, SocketsHere());
    Looked& degraded = standing.interfaces;
    const Checked checked = RunChecks(context, profile, postgres, profile.degraded_checks, /*fresh=*/false);
    Append(degraded.evidence, checked.AsEvidence());
    if (!checked.passed()) {
      if (degraded.state != ClaimState::kFails) degraded.state = StateOf(checked.Worst());
      degraded.text += "; " + checked.Summary();
    }
    Looked all = degraded;
    if (profile.protocol) {
      Looked accepted = LookAtAcceptance(context, profile, postgres, notes);
      if (all.state == ClaimState::kHolds) all.state = accepted.state;
      all.text += "; " + accepted.text;
      Append(all.evidence, std::move(accepted.evidence));
    }
    standing.ladder.Put(Rung::kDegradedNoInterface, all.state, all.text);
    Append(standing.evidence, std::move(all.evidence));
    return standing;
  }

  // Whether anybody has asked for the highest rung on this host.
  static bool WasAsked(const std::string& plugin, const Profile& profile) {
    const Notes notes(plugin);
    return notes.Get(profile.protocol ? AcceptanceKey(profile) : DegradedKey(profile)).has_value();
  }
};

}  // namespace reprise::sdk::application
