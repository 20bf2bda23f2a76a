#include "plugins/bubble/prove_side.h"

#include <algorithm>

#include "plugins/bubble/attempts.h"
#include "plugins/bubble/evidence.h"
#include "plugins/bubble/own.h"
#include "plugins/bubble/spelling.h"
#include "plugins/bubble/state.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Error;
using sdk::Json;

std::vector<Target> Targets(const sdk::Context& context, const char* parameter) {
  std::vector<Target> targets;
  for (const std::string& text : context.Param<std::vector<std::string>>(parameter)) {
    Target target = ParseTarget(text, parameter);
    if (std::find(targets.begin(), targets.end(), target) == targets.end()) targets.push_back(std::move(target));
  }
  if (targets.empty()) throw Error("bad_params", std::string("parameter ") + parameter + " is empty");
  return targets;
}

sdk::Params SideParams(const char* targets, const char* controls) {
  using namespace sdk;
  return {
      Name("bubble").Required().AtMost(32).About("The bubble that is proven"),
      LikeTarget(List("targets").Required().AtMost(256).About(targets)),
      LikeTarget(List("controls").Required().AtMost(16).About(controls)),
      List("kinds")
          .OneOf({"tcp", "udp", "icmp", "dns", "ipv6"})
          .Default({"tcp", "udp", "icmp", "dns", "ipv6"})
          .About("Each must be among the targets, or nothing is proven"),
      List("unrouted")
          .OneOf({"ipv4", "ipv6"})
          .Default(Json::array())
          .About("Families that this host has no route for: that their targets cannot even be sent counts as closed"),
      Duration("wait").Default("2s").About("For each answer, 200ms to 30s")};
}

void CheckControls(const std::vector<Target>& targets, const std::vector<Target>& controls) {
  for (const Target& control : controls) {
    if (std::find(targets.begin(), targets.end(), control) != targets.end()) {
      throw Error("bad_params", control.Shown() + " is a target and a control: it cannot be both refused and reached");
    }
    if (!InterfaceWith(control.address).empty()) {
      throw Error("bad_params", "control " + control.Shown() + " is this host itself, which answers with the cable out",
                  "name what stands at the other end: the management flow, or icmp: of the gateway's address on this side");
    }
  }
}

// `by_right`: what else than a hole it may be that something got through.
sdk::ProbeResult Prove(sdk::Context& context, const char* claim, const char* by_right) {
  const std::string bubble = BubbleName(context);
  const std::vector<Target> targets = Targets(context, "targets"), controls = Targets(context, "controls");
  CheckControls(targets, controls);
  const auto kinds = context.Param<std::vector<std::string>>("kinds");
  if (kinds.empty()) throw Error("bad_params", "parameter kinds is empty: nothing would be proven", "leave it out, for all kinds");
  const auto wait = context.Duration("wait");
  if (wait < std::chrono::milliseconds(200) || wait > std::chrono::seconds(30)) {
    throw Error("bad_params", "parameter wait is " + context.Param("wait") + ", expected 200ms to 30s");
  }
  context.Progress(0.1, "asking the controls");
  const auto before = TryAll(context, controls, wait);
  context.Progress(0.3, "trying " + std::to_string(targets.size()) + " targets");
  const auto attempts = TryAll(context, targets, wait);
  context.Progress(0.8, "asking the controls again");
  const auto after = TryAll(context, controls, wait);

  SideProof proof = Judge(attempts, before, after, kinds, context.Param<std::vector<std::string>>("unrouted"));
  if (proof.state == ClaimState::kFails) proof.detail += by_right;
  const bool holds = proof.state == ClaimState::kHolds;
  std::vector<sdk::Evidence> evidence;
  for (const Attempt& attempt : before) evidence.push_back({"network", "control before: " + attempt.text});
  for (const Attempt& attempt : attempts) evidence.push_back({"network", attempt.text});
  for (const Attempt& attempt : after) evidence.push_back({"network", "control after: " + attempt.text});
  const auto through =
      std::count_if(attempts.begin(), attempts.end(), [](const Attempt& attempt) { return attempt.GotThrough(); });
  return {.holds = holds,
          .summary = "bubble " + bubble + ": " + proof.detail,
          .observed = {{"probes", attempts.size()}, {"got_through", through}},
          .evidence = std::move(evidence),
          .claims = {{claim, proof.state, proof.detail}}};
}

}  // namespace

sdk::ActionInfo ProveInside::Describe() const {
  return {
      .name = "prove_inside",
      .summary = "Try from inside to get out of the bubble, over TCP, UDP, ICMP, DNS and IPv6",
      .effect = sdk::Effect::kRead,
      .needs = {.root = true, .network = true, .paths = {}},
      .timeout = "3m",
      .memory_mb = 256,
      .params = SideParams("Outside: tcp:ADDRESS:PORT, udp:ADDRESS:PORT, icmp:ADDRESS, dns:ADDRESS; each must fail",
                           "What is allowed and alive: the management flow, or icmp: of the gateway's inside address")};
}

sdk::ProbeResult ProveInside::Probe(sdk::Context& context) {
  return Prove(context, "bubble.closed_inside", "");
}

sdk::ActionInfo ProveOutside::Describe() const {
  return {
      .name = "prove_outside",
      .summary = "Try from outside to get into the bubble, over TCP, UDP, ICMP, DNS and IPv6",
      .effect = sdk::Effect::kRead,
      .needs = {.root = true, .network = true, .paths = {}},
      .timeout = "3m",
      .memory_mb = 256,
      .params = SideParams("Inside: tcp:ADDRESS:PORT, udp:ADDRESS:PORT, icmp:ADDRESS, dns:ADDRESS; each must fail",
                           "What this host surely reaches, by the same cable: icmp: of the gateway's outside address")};
}

sdk::ProbeResult ProveOutside::Probe(sdk::Context& context) {
  return Prove(context, "bubble.closed_outside",
               "; a hole, unless this host was admitted as a post: then prove from one that is none");
}

}  // namespace reprise::bubble
