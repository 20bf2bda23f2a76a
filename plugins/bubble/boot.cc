#include "plugins/bubble/boot.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "plugins/bubble/bolt.h"

namespace reprise::bubble {
namespace {

using sdk::Error;
using sdk::Services;
using sdk::ServiceState;
using sdk::Supervisor;

constexpr const char* kSwitch4 = "/proc/sys/net/ipv4/ip_forward";
constexpr const char* kSwitch6 = "/proc/sys/net/ipv6/conf/all/forwarding";

std::string UnitFile(const std::string& bubble) {
  return "/etc/systemd/system/" + ServiceName(bubble) + ".service";
}

std::string There(const Bubble& bubble) {
  return "nft list table inet " + TableName(bubble.charter.bubble) + " >/dev/null 2>&1";
}

const char* BoltEnding(bool ipv6) {
  return ipv6 ? "bolt6" : "bolt4";
}

// Sets the bolts that are missing. A batch that goes on after a rule that is there already does not tell that from an
// error, so that whoever must know looks afterwards.
std::string BoltLine(const std::filesystem::path& rules, bool ipv6) {
  auto file = rules;
  return std::string("ip ") + (ipv6 ? "-6" : "-4") + " -force -batch " +
         file.replace_extension(BoltEnding(ipv6)).string() + " >/dev/null 2>&1";
}

// Until forwarding is as it was before the bubble.
void WaitForHalt(const sdk::Context& context, const Bubble& bubble) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((!bubble.forwarded_ipv4 && Forwards(false)) || (!bubble.forwarded_ipv6 && Forwards(true))) {
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("service_failed",
                  "service " + ServiceName(bubble.charter.bubble) + " was stopped, and forwarding is still on",
                  "turn it off with sysctl, then try again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool WriteIfOther(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  if (sdk::ReadFileIfThere(path) == text) return false;
  sdk::WriteFileAtomically(path, text, mode);
  return true;
}

}  // namespace

std::string ServiceName(const std::string& bubble) {
  return "reprise-bubble-" + bubble;
}

std::string BootScript(const Bubble& bubble, const std::filesystem::path& rules) {
  std::string text = "#!/bin/sh\n# The rules of bubble " + bubble.charter.bubble +
                     ", its bolts, then forwarding: in this order, so that nothing passes in between.\n" +
                     There(bubble) + " || nft -f " + rules.string() + " || exit 1\n";
  for (const bool ipv6 : Families()) {
    text += BoltLine(rules, ipv6) + "\n";
    for (const std::string& interface : bubble.charter.interfaces) {
      text += std::string("test -n \"$(ip ") + (ipv6 ? "-6" : "-4") + " rule show pref 13 iif " + interface +
              ")\" || exit 1\n";
    }
  }
  if (bubble.charter.turns_forwarding_on) {
    text += std::string("echo 1 >") + kSwitch4 + " || exit 1\n";
    if (bubble.charter.HasIpv6()) text += std::string("echo 1 >") + kSwitch6 + " || exit 1\n";
  }
  return text;
}

std::string GuardScript(const Bubble& bubble, const std::filesystem::path& rules) {
  std::string text =
      "#!/bin/sh\n# Ends when the rules are gone: the service then begins again, which loads them.\nwhile " +
      There(bubble) + "; do\n";
  for (const bool ipv6 : Families()) text += "  " + BoltLine(rules, ipv6) + "\n";
  return text + "  sleep 2\ndone\nexit 1\n";
}

std::string HaltScript(const Bubble& bubble) {
  std::string text = "#!/bin/sh\n# Forwarding as it was before this gateway had a bubble.\n";
  if (!bubble.forwarded_ipv4) text += std::string("echo 0 >") + kSwitch4 + "\n";
  if (!bubble.forwarded_ipv6) text += std::string("echo 0 >") + kSwitch6 + "\n";
  return text + "exit 0\n";
}

std::string UnitText(const Store& store, const Bubble& bubble) {
  const auto script = [&](const char* ending) { return store.File(bubble.charter.bubble, ending).string(); };
  return "[Unit]\nDescription=Rules of the bubble " + bubble.charter.bubble +
         "\nDefaultDependencies=no\nRequiresMountsFor=" +
         store.File(bubble.charter.bubble, "nft").parent_path().string() +
         "\nWants=network-pre.target\nBefore=network-pre.target shutdown.target\nConflicts=shutdown.target\n"
         "StartLimitIntervalSec=0\n\n[Service]\nExecStartPre=" +
         script("boot") + "\nExecStart=" + script("guard") + "\nExecStopPost=-" + script("halt") +
         "\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=sysinit.target\n";
}

std::string RunText(const Store& store, const Bubble& bubble) {
  const auto script = [&](const char* ending) { return store.File(bubble.charter.bubble, ending).string(); };
  return "#!/bin/sh\n# runit has no order at boot: forwarding is off until the rules are there.\n" + script("boot") +
         " || exit 1\nexec " + script("guard") + "\n";
}

bool Forwards(bool ipv6) {
  const auto text = sdk::ReadFileIfThere(ipv6 ? kSwitch6 : kSwitch4);
  return text && text->rfind("0", 0) != 0;
}

void WriteRules(const Store& store, const Bubble& bubble) {
  const std::string& name = bubble.charter.bubble;
  WriteIfOther(store.File(name, "nft"), SealedText(bubble, {}), 0600);
  for (const bool ipv6 : Families())
    WriteIfOther(store.File(name, BoltEnding(ipv6)), BoltBatch(bubble.charter, ipv6), 0600);
}

void InstallHook(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const std::string& name = bubble.charter.bubble;
  WriteRules(store, bubble);
  if (!bubble.charter.persist) return;
  const Services services(context);
  bool other = WriteIfOther(store.File(name, "boot"), BootScript(bubble, store.File(name, "nft")), 0700);
  other = WriteIfOther(store.File(name, "guard"), GuardScript(bubble, store.File(name, "nft")), 0700) || other;
  sdk::RemoveFile(store.File(name, "halt"));
  const std::string service = ServiceName(name);
  if (services.supervisor() == Supervisor::kRunit) {
    other = services.InstallRunit(service, RunText(store, bubble)) || other;
    // What runit runs when the service ends; halt is there only while the bubble is destroyed.
    const std::string halt = store.File(name, "halt").string();
    WriteIfOther("/etc/service/" + service + "/finish", "#!/bin/sh\ntest -x " + halt + " && " + halt + "\nexit 0\n",
                 0755);
  } else if (services.supervisor() == Supervisor::kSystemd) {
    if (WriteIfOther(UnitFile(name), UnitText(store, bubble), 0644)) {
      other = true;
      sdk::RunOrThrow(context, {"systemctl", "daemon-reload"});
    }
    sdk::RunOrThrow(context, {"systemctl", "enable", "--", service + ".service"});
  } else {
    throw Error("no_supervisor",
                "neither systemd nor runit runs this host: nothing would bring the rules back after a restart",
                "let the gateway be run by one of them, or write persist: false for a gateway that is never restarted");
  }
  if (services.State(service) != ServiceState::kRunning) {
    services.Start(service);
  } else if (other) {
    services.Restart(service);
  }
  // runit calls it running as soon as it begins; the rules and forwarding come a moment later.
  std::string why;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!(why = WhyNotBootable(context, store, bubble)).empty()) {
    context.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("service_failed", "service " + service + " was started, and " + why,
                  "run " + store.File(name, "boot").string() + " by hand");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string WhyNotBootable(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const std::string& name = bubble.charter.bubble;
  const auto is = [&](const char* ending, const std::string& text) {
    return sdk::ReadFileIfThere(store.File(name, ending)) == text;
  };
  if (!is("nft", SealedText(bubble, {}))) return "the rules for the next boot are not those wanted";
  for (const bool ipv6 : Families()) {
    if (!is(BoltEnding(ipv6), BoltBatch(bubble.charter, ipv6)))
      return "the bolts for the next boot are not those wanted";
  }
  if (bubble.charter.persist) {
    if (!is("boot", BootScript(bubble, store.File(name, "nft"))) ||
        !is("guard", GuardScript(bubble, store.File(name, "nft")))) {
      return "the boot hook's scripts are not those wanted";
    }
    const Services services(context);
    const ServiceState state = services.State(ServiceName(name));
    if (state != ServiceState::kRunning) return "service " + ServiceName(name) + " is " + std::string(NameOf(state));
  }
  if (!bubble.charter.turns_forwarding_on) return "";
  if (!Forwards(false)) return "IPv4 is not forwarded";
  return bubble.charter.HasIpv6() && !Forwards(true) ? "IPv6 is not forwarded" : "";
}

bool HookIsThere(const sdk::Context& context, const std::string& bubble) {
  const Services services(context);
  return services.supervisor() != Supervisor::kNone && services.State(ServiceName(bubble)) != ServiceState::kMissing;
}

bool RemoveHook(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const std::string& name = bubble.charter.bubble;
  if (!HookIsThere(context, name)) return false;
  const auto others = store.All(name);
  const bool last =
      std::none_of(others.begin(), others.end(), [](const Bubble& other) { return other.charter.turns_forwarding_on; });
  if (last && bubble.charter.turns_forwarding_on)
    sdk::WriteFileAtomically(store.File(name, "halt"), HaltScript(bubble), 0700);
  const Services services(context);
  if (services.supervisor() == Supervisor::kRunit) {
    if (services.State(ServiceName(name)) == ServiceState::kRunning) {
      services.Stop(ServiceName(name));
      // What runit does when a service ends is not over when it says that it is down, and goes with the service's
      // folder.
      if (last && bubble.charter.turns_forwarding_on) WaitForHalt(context, bubble);
    }
    return services.RemoveRunit(ServiceName(name));
  }
  if (services.State(ServiceName(name)) != ServiceState::kStopped) services.Stop(ServiceName(name));
  sdk::RunOrThrow(context, {"systemctl", "disable", "--", ServiceName(name) + ".service"});
  sdk::RemoveFile(UnitFile(name));
  sdk::RunOrThrow(context, {"systemctl", "daemon-reload"});
  return true;
}

}  // namespace reprise::bubble
