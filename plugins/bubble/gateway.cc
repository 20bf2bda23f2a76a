#include "plugins/bubble/gateway.h"

#include "plugins/bubble/own.h"
#include "plugins/bubble/spelling.h"
#include "plugins/bubble/told.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Error;
using sdk::Json;

std::string BeforeKey(const std::string& bubble) {
  return "before." + bubble;
}

// Posts are outside; posts and flows that are there lead to members, and may not be left pointing elsewhere.
void CheckGuests(const Bubble& bubble, const Charter& charter) {
  for (const Post& post : bubble.posts) {
    if (const Subnet* subnet = charter.SubnetOf(post.host.address)) {
      throw Error("members_in_use",
                  "post " + post.name + " (" + post.host.address.text + ") would be inside, in subnet " + subnet->text,
                  "a post is outside: mend the subnets, or take the post out with bubble.remove_post first");
    }
    for (const Service& service : post.applications) {
      if (charter.HasMember(service.address)) continue;
      throw Error("members_in_use",
                  "post " + post.name + " uses " + service.Shown() + ", which would be no member any more",
                  "take the post out with bubble.remove_post first");
    }
  }
  for (const Flow& flow : bubble.flows) {
    if (!flow.RunsAt(NowMs()) || charter.HasMember(flow.from) || charter.HasMember(flow.to.address)) continue;
    throw Error("members_in_use", "flow " + flow.Shown() + " is open, and neither end would be a member any more",
                "close it with bubble.close_flow first");
  }
}

// What is there, with the charter that is wanted: posts and flows stay.
Bubble Wanted(const Store& store, const Charter& charter) {
  Bubble bubble;
  if (auto noted = store.Get(charter.bubble)) {
    bubble = *std::move(noted);
  } else {
    bubble.forwarded_ipv4 = Forwards(false);
    bubble.forwarded_ipv6 = Forwards(true);
    // Another bubble may have turned it on: as it was before that one.
    for (const Bubble& other : store.All()) {
      bubble.forwarded_ipv4 = bubble.forwarded_ipv4 && other.forwarded_ipv4;
      bubble.forwarded_ipv6 = bubble.forwarded_ipv6 && other.forwarded_ipv6;
    }
  }
  if (!bubble.posts.empty() && (bubble.posts.size() > static_cast<size_t>(charter.posts_max) ||
                                bubble.charter.posts_ipv6 != charter.posts_ipv6)) {
    throw Error("posts_full",
                "posts_max " + std::to_string(charter.posts_max) + " of family " +
                    (charter.posts_ipv6 ? "ipv6" : "ipv4") +
                    " has no room for those that are in: " + Named(bubble.posts),
                "take posts out with bubble.remove_post first");
  }
  CheckGuests(bubble, charter);
  bubble.charter = charter;
  return bubble;
}

void CheckInterfaces(const Charter& charter) {
  if (const std::string name = MissingInterface(charter); !name.empty()) {
    throw Error("no_interface", "this gateway has no interface " + name,
                "`ip link` shows their names; if it was renamed at a restart, name it as it is now, or give it its name back");
  }
}

// What this gateway is itself, and what its other bubbles have, is not this bubble's.
void CheckAlone(const Store& store, const Charter& charter) {
  for (const Member& member : charter.members) {
    const std::string interface = InterfaceWith(member.address);
    if (interface.empty()) continue;
    throw Error("bad_params", "member " + member.Shown() + " is this gateway itself, on " + interface,
                "members are hosts behind the gateway");
  }
  for (const Bubble& other : store.All()) {
    if (other.charter.bubble == charter.bubble) continue;
    for (const std::string& interface : charter.interfaces) {
      for (const std::string& theirs : other.charter.interfaces) {
        if (interface == theirs)
          throw Error("bad_params", "interface " + interface + " leads into bubble " + other.charter.bubble);
      }
    }
    for (const Member& member : charter.members) {
      if (other.charter.SubnetOf(member.address) != nullptr) {
        throw Error("bad_params", "member " + member.Shown() + " is inside bubble " + other.charter.bubble);
      }
    }
    for (const Member& member : other.charter.members) {
      if (const Subnet* subnet = charter.SubnetOf(member.address)) {
        throw Error("bad_params",
                    "subnet " + subnet->text + " covers " + member.Shown() + ", a member of bubble " + other.charter.bubble,
                    "name only the networks of this bubble");
      }
    }
  }
}

std::string Shown(const sdk::Context& context, const Bubble& bubble) {
  return Described(bubble, ComesSealed(bubble, Loaded(context, bubble.charter.bubble)));
}

}  // namespace

sdk::ActionInfo Gateway::Describe() const {
  using namespace sdk;
  return {
      .name = "gateway",
      .summary = "Make a closed bubble on this gateway, and make it come back after a restart",
      .effect = Effect::kChange,
      .undoable = true,
      .needs = {.root = true, .network = true, .paths = WritablePaths()},
      .timeout = "2m",
      .memory_mb = 256,
      .params = {
          Name("bubble").Required().AtMost(32).About("Its name: small letters, digits and -"),
          List("interfaces").Required().AtMost(32).About("Interfaces of this gateway that lead inside"),
          LikeSubnet(List("subnets").Required().AtMost(32).About("Networks inside: 10.20.0.0/24, fd00:20::/64")),
          LikeMember(List("members").Required().AtMost(256).About("Hosts inside: ADDRESS or ADDRESS@MAC")),
          LikeService(List("management")
                          .Default(Json::array())
                          .AtMost(16)
                          .About("tcp:ADDRESS:PORT that every member may open connections to: the coordinator")),
          Boolean("among_members").Default(false).About("Members speak to each other through this gateway"),
          Integer("posts_max").Range(0, 1000).Default(0).About("So many posts may be admitted, and no more"),
          Text("posts_family").OneOf({"ipv4", "ipv6"}).Default("ipv4").About("Posts have addresses of one family"),
          Text("forwarding")
              .OneOf({"on", "keep"})
              .Default("on")
              .About("on: the boot hook turns it on after the rules; keep: the site sees to it"),
          Boolean("persist").Default(true).About("false: no boot hook; a restart of the gateway opens everything")}};
}

sdk::ProbeResult Gateway::Probe(sdk::Context& context) {
  const Store store;
  const Charter charter = CharterFrom(context);
  Bubble bubble = store.Get(charter.bubble).value_or(Bubble());
  bubble.charter = charter;
  const std::string why = WhyNotInstalled(context, store, bubble);
  const std::string detail = why.empty() ? Shown(context, bubble) : why;
  return {.holds = why.empty(),
          .summary = detail,
          .observed = {{"posts", bubble.posts.size()}, {"persist", charter.persist}},
          .evidence = {{"nft", detail}},
          .claims = {GatewayClaim(why, charter, ComesSealed(bubble, Loaded(context, charter.bubble)))}};
}

sdk::PlanResult Gateway::Plan(sdk::Context& context) {
  const Store store;
  const Bubble bubble = Wanted(store, CharterFrom(context));
  CheckInterfaces(bubble.charter);
  CheckAlone(store, bubble.charter);
  const std::string why = WhyNotInstalled(context, store, bubble);
  if (why.empty()) return {{}, "nothing to do"};
  return {{{"table inet " + TableName(bubble.charter.bubble), why, Shown(context, bubble)}},
          "bubble " + bubble.charter.bubble + " is closed: " + Shown(context, bubble)};
}

sdk::ApplyResult Gateway::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const Bubble bubble = Wanted(store, CharterFrom(context));
  CheckInterfaces(bubble.charter);
  CheckAlone(store, bubble.charter);
  if (WhyNotInstalled(context, store, bubble).empty()) return {false, "the bubble is there: " + Shown(context, bubble)};
  const auto noted = store.Get(bubble.charter.bubble);
  if (!noted || !SameCharter(noted->charter, bubble.charter)) {
    store.PutBefore(BeforeKey(bubble.charter.bubble), {{"charter", noted ? ToJson(noted->charter) : Json()}});
  }
  Install(context, store, bubble);
  return {true, "bubble " + bubble.charter.bubble + ": " + Shown(context, bubble)};
}

sdk::VerifyResult Gateway::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  // By another list than the one that was compared.
  const std::string table = TableName(BubbleName(context));
  const sdk::RunResult chain = sdk::Run(context, {"nft", "list", "chain", "inet", table, "forward"});
  const bool drops = chain.ok() && chain.out.find("hook forward") != std::string::npos &&
                     chain.out.find("policy drop;") != std::string::npos;
  probe.evidence.push_back({"command", "nft list chain inet " + table + " forward: " +
                                           (drops ? "policy drop" : "no policy drop: " + chain.Why().substr(0, 200))});
  if (!drops) probe.claims = {{kGatewayClaim, ClaimState::kFails, "nft shows no policy drop"}};
  // Rules that were loaded anew have refused nothing yet: then nothing is proven any more, and is said to be so.
  const Proof proof = TakeProof(context, BubbleName(context), ProofAsked());
  probe.claims.push_back(ClosedClaim(proof));
  return {.holds = probe.holds && drops,
          .summary = drops ? probe.summary : "nft shows no policy drop",
          .evidence = std::move(probe.evidence),
          .claims = std::move(probe.claims),
          .measures = proof.table ? MeasuresOf(BubbleName(context), *proof.table) : std::vector<sdk::Measure>()};
}

sdk::RollbackResult Gateway::Rollback(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const std::string name = BubbleName(context);
  const auto before = store.Before(BeforeKey(name));
  if (!before) return {"nothing to undo: this gateway's bubble is as it was"};
  if (!before->contains("charter") || before->at("charter").is_null()) {
    Remove(context, store, name);
    return {"there was no bubble " + name + " before, and there is none"};
  }
  Bubble bubble = store.Must(name);
  Json former = ToJson(bubble);
  former["charter"] = before->at("charter");
  bubble = BubbleFromJson(former);
  if (bubble.posts.size() > static_cast<size_t>(bubble.charter.posts_max)) {
    throw Error("posts_full",
                "the former posts_max " + std::to_string(bubble.charter.posts_max) +
                    " has no room for those that are in: " + Named(bubble.posts),
                "take posts out with bubble.remove_post first");
  }
  CheckGuests(bubble, bubble.charter);
  CheckAlone(store, bubble.charter);  // Of bubbles made since, too.
  Install(context, store, bubble);
  store.ForgetBefore(BeforeKey(name));
  return {"the bubble is as it was: " + Shown(context, bubble)};
}

sdk::ActionInfo Destroy::Describe() const {
  return {.name = "destroy",
          .summary = "Take a bubble away: its rules, its posts, its flows, its boot hook",
          .effect = sdk::Effect::kDestroy,
          .undoable = false,
          .needs = {.root = true, .network = true, .paths = WritablePaths()},
          .timeout = "2m",
          .memory_mb = 256,
          .params = {sdk::Name("bubble").Required().AtMost(32).About("Its name")}};
}

sdk::ProbeResult Destroy::Probe(sdk::Context& context) {
  const std::string why = WhyNotGone(context, Store(), BubbleName(context));
  const std::string detail = why.empty() ? "nothing of it is here" : why;
  return {.holds = why.empty(),
          .summary = detail,
          .evidence = {{"nft", detail}},
          // Rules that were not compared prove nothing.
          .claims = {{kGatewayClaim, why.empty() ? ClaimState::kFails : ClaimState::kUnknown, detail}}};
}

sdk::PlanResult Destroy::Plan(sdk::Context& context) {
  const Store store;
  const std::string name = BubbleName(context);
  const std::string why = WhyNotGone(context, store, name);
  if (why.empty()) return {{}, "nothing to do"};
  return {{{"table inet " + TableName(name), why, "gone"}},
          "bubble " + name + " is gone; what the gateway forwards then is no longer refused by it"};
}

sdk::ApplyResult Destroy::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const std::string name = BubbleName(context);
  return Remove(context, store, name) ? sdk::ApplyResult{true, "bubble " + name + " is gone"}
                                      : sdk::ApplyResult{false, "there was no bubble " + name};
}

sdk::VerifyResult Destroy::Verify(sdk::Context& context) {
  const std::string name = BubbleName(context);
  const sdk::RunResult tables = sdk::RunOrThrow(context, {"nft", "list", "tables"});
  const bool listed = (tables.out + "\n").find("table inet " + TableName(name) + "\n") != std::string::npos;
  const std::string why = listed ? "nft still lists the table" : WhyNotGone(context, Store(), name);
  const std::string detail = why.empty() ? "nft lists no such table" : why;
  return {.holds = why.empty(),
          .summary = detail,
          .evidence = {{"command", "nft list tables: " + tables.out.substr(0, 400)}},
          .claims = {{kGatewayClaim, why.empty() ? ClaimState::kFails : ClaimState::kUnknown, detail},
                     {kClosedClaim, ClaimState::kFails, "the bubble was taken away"}},
          // The last numbers told of it stay with the coordinator: nobody is to be alarmed by them.
          .measures = {{"bubble.there", name, why.empty() ? 0.0 : 1.0},
                       {"bubble.closed", name, 0},
                       {"bubble.sealed", name, 0},
                       {"bubble.holes", name, 0},
                       {"bubble.posts", name, 0},
                       {"bubble.allowed_flows", name, 0}}};
}

}  // namespace reprise::bubble
