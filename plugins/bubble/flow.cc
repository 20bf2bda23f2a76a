#include "plugins/bubble/flow.h"

#include <algorithm>

#include "plugins/bubble/admission.h"
#include "plugins/bubble/spelling.h"
#include "plugins/bubble/told.h"
#include "plugins/bubble/way.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Error;
using sdk::Json;

constexpr const char* kFlowClaim = "bubble.flow_open";

// The way as it was before `mine` was opened on it. What Apply closed for `mine` bears the same time; what somebody closed
// before or since stays closed, and a decision whose way was closed stays spent. `open`: the gateway lets it through now,
// or will once its seal is off. Returns what is to be said.
std::string TakeBack(std::vector<Flow>& flows, const Flow& mine, bool open, int64_t now) {
  const auto noted = std::find_if(flows.begin(), flows.end(), [&](const Flow& flow) {
    return flow.SameWay(mine) && flow.decision == mine.decision;
  });
  if (noted == flows.end()) return "nothing to undo";
  const std::string shown = mine.Shown(), by = " by " + mine.decision;
  if (!noted->RunsAt(now)) {
    for (const Flow& later : flows) {
      if (!later.SameWay(mine) || noted->closed_ms == 0 || later.opened_ms != noted->closed_ms) continue;
      // An undo of that one opens this one no more.
      noted->closed_ms = std::max(now, noted->closed_ms + 1);
      return shown + " is left as it is: " + later.decision + " took the place of what was opened" + by;
    }
    return shown + " is left as it is: what was opened" + by + (noted->closed_ms != 0 ? " was closed" : " has ended");
  }
  const int64_t opened_ms = noted->opened_ms;
  flows.erase(noted);
  if (open) {
    for (Flow& flow : flows) {
      if (flow.SameWay(mine) && flow.closed_ms == opened_ms) flow.closed_ms = 0;
    }
  }
  return shown + (open ? " is as it was" : " is left closed: the gateway had it closed already");
}

sdk::Params FlowParams(bool opens) {
  using namespace sdk;
  const auto bubble = Name("bubble").Required().AtMost(32).About("The bubble");
  const auto from = LikeAddress(Text("from").Required().AtMost(64).About("Address of the host that opens connections"));
  const auto to = LikeAddress(Text("to").Required().AtMost(64).About("Address of the host that listens; one of both is a member"));
  const auto protocol = Text("protocol").Required().OneOf({"tcp", "udp"});
  const auto port = Integer("port").Required().Range(1, 65535).About("Where it listens");
  if (!opens) return {bubble, from, to, protocol, port};
  return {bubble,
          from,
          to,
          protocol,
          port,
          Duration("duration").Required().About("After which the gateway closes it by itself: 1s to 366d"),
          Duration("supervised")
              .Default("0s")
              .About("So long, from the opening on, new connections are counted and logged"),
          Text("decision").Required().AtMost(200).About("Reference of the decision; each opens the way once")};
}

}  // namespace

sdk::ActionInfo OpenFlow::Describe() const {
  return {.name = "open_flow",
          .summary = "Open one way through the bubble's wall, by decision, for a time",
          // Two people sign what destroys; a hole in a wall is of that weight.
          .effect = sdk::Effect::kDestroy,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {kFolder}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = FlowParams(true)};
}

sdk::ProbeResult OpenFlow::Probe(sdk::Context& context) {
  const int64_t now = NowMs();
  const Flow wanted = FlowFrom(context, now);
  const auto bubble = Store().Get(BubbleName(context));
  std::string why = "this gateway has no such bubble";
  std::optional<Table> table;
  if (bubble) {
    CheckAgainst(wanted, bubble->charter);
    table = Loaded(context, bubble->charter.bubble);
    why = WhyNotOpen(*bubble, wanted, table, now);
  }
  // The claim stands when the flow has long ended: it says when that is, and no number that ages.
  std::string detail = wanted.Shown() + ": " + why, summary = detail;
  Json observed = Json::object();
  if (why.empty()) {
    const Flow* opened = Opened(*bubble, wanted);
    const Element& element =
        table->sets.at(SetFor("flows", wanted.from.ipv6)).elements.at(Tuple(wanted.from, wanted.to));
    detail = wanted.Shown() + ": open by " + wanted.decision + " until " + UtcOf(opened->until_ms) +
             (now < opened->supervised_until_ms ? ", supervised until " + UtcOf(opened->supervised_until_ms) : "");
    summary = detail + ", " + std::to_string(element.packets) + " packet(s)";
    observed = {{"until_ms", opened->until_ms},
                {"packets", element.packets},
                {"supervised", now < opened->supervised_until_ms}};
  }
  return {.holds = why.empty(),
          .summary = summary,
          .observed = std::move(observed),
          .evidence = {{"nft", summary}},
          .claims = {{kFlowClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult OpenFlow::Plan(sdk::Context& context) {
  const sdk::ProbeResult probe = Probe(context);
  if (probe.holds) return {{}, "nothing to do"};
  const Flow wanted = FlowFrom(context, NowMs());
  return {
      {{"flow " + wanted.Shown(), probe.summary, "open for " + context.Param("duration") + " by " + wanted.decision}},
      "one way through bubble " + BubbleName(context) + "; the gateway closes it by itself"};
}

sdk::ApplyResult OpenFlow::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const int64_t now = NowMs();
  const Flow wanted = FlowFrom(context, now);
  Bubble bubble = store.Must(BubbleName(context));
  CheckAgainst(wanted, bubble.charter);
  const auto table = Loaded(context, bubble.charter.bubble);
  if (WhyNotOpen(bubble, wanted, table, now).empty()) return {false, wanted.Shown() + " is open already"};
  if (table) MustBeUnsealed(bubble, *table);
  if (const Flow* opened = Opened(bubble, wanted)) {
    if (!opened->RunsAt(now)) {
      throw Error("flow_spent",
                  "decision " + wanted.decision + " opened " + wanted.Shown() + " once, and that has ended",
                  "take a new decision, and name it in parameter decision");
    }
  } else {
    for (Flow& flow : bubble.flows) {
      // The new decision takes its place: by this time rollback knows what to bring back.
      if (flow.SameWay(wanted) && flow.RunsAt(now)) flow.closed_ms = wanted.opened_ms;
    }
    MakeRoom(bubble.flows, now);
    bubble.flows.push_back(wanted);
    store.Put(bubble);
  }
  LoadWay(context, bubble, wanted, now);
  return {true, wanted.Shown() + " is open by " + wanted.decision};
}

sdk::VerifyResult OpenFlow::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  const Flow way = WayFrom(context);
  const std::string table = TableName(BubbleName(context)), set = SetFor("flows", way.from.ipv6);
  const sdk::RunResult got =
      sdk::Run(context, {"nft", "get", "element", "inet", table, set, "{ " + Tuple(way.from, way.to) + " }"});
  // One that has no end is not what was decided.
  const bool ends = got.ok() && got.out.find(" expires ") != std::string::npos;
  probe.evidence.push_back(
      {"command", "nft get element inet " + table + " " + set + ": " + (ends ? "is in, and expires" : got.Why())});
  if (!ends) probe.claims = {{kFlowClaim, ClaimState::kFails, "the gateway does not have it with an end"}};
  sdk::VerifyResult result{probe.holds && ends, probe.summary, std::move(probe.evidence), std::move(probe.claims), {}, {}};
  TellAfterChange(context, BubbleName(context), result);
  return result;
}

sdk::RollbackResult OpenFlow::Rollback(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  Flow mine = WayFrom(context);
  mine.decision = context.Param("decision");
  auto bubble = store.Get(BubbleName(context));
  if (!bubble) return {"nothing to undo"};
  const auto table = Loaded(context, bubble->charter.bubble);
  const bool in_kernel = InKernel(table, mine);
  const int64_t now = NowMs();
  const std::string told = TakeBack(bubble->flows, mine, in_kernel || !table || table->Sealed(), now);
  store.Put(*bubble);
  // Also where there was nothing to undo: an undo that was cut short may have left it there. What is not there is not
  // brought in.
  if (in_kernel) LoadWay(context, *bubble, mine, now);
  return {told};
}

sdk::ActionInfo CloseFlow::Describe() const {
  return {.name = "close_flow",
          .summary = "Close a flow before its time; what runs on it ends at once",
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = true, .paths = {kFolder}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = FlowParams(false)};
}

sdk::ProbeResult CloseFlow::Probe(sdk::Context& context) {
  const Flow way = WayFrom(context);
  const auto bubble = Store().Get(BubbleName(context));
  const bool open = InKernel(Loaded(context, BubbleName(context)), way);
  const bool noted = bubble && Running(*bubble, way, NowMs()) != nullptr;
  const std::string detail = way.Shown() + (open ? " is open" : noted ? " is noted as open" : " is closed");
  return {.holds = !open && !noted,
          .summary = detail,
          .observed = {{"open", open}},
          .evidence = {{"nft", detail}},
          .claims = {{kFlowClaim, open ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult CloseFlow::Plan(sdk::Context& context) {
  const sdk::ProbeResult probe = Probe(context);
  if (probe.holds) return {{}, "nothing to do"};
  return {{{"flow " + WayFrom(context).Shown(), "open", "closed"}}, "what runs on it ends at once"};
}

sdk::ApplyResult CloseFlow::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const Flow way = WayFrom(context);
  const std::string name = BubbleName(context);
  auto bubble = store.Get(name);
  const auto table = Loaded(context, name);
  bool changed = InKernel(table, way);
  if (bubble) {
    for (Flow& flow : bubble->flows) {
      if (!flow.SameWay(way) || !flow.RunsAt(NowMs())) continue;
      flow.closed_ms = NowMs();
      changed = true;
    }
    // Noted first: should the rules be loaded anew meanwhile, it is closed in them.
    if (changed) store.Put(*bubble);
  }
  Charter charter;
  charter.bubble = name;
  if (table) {
    if (const Elements there = table->Present(ElementsOf(way)); !there.empty())
      Change(context, DeleteElements(charter, there));
  }
  return {changed, way.Shown() + (changed ? " is closed" : " was closed already")};
}

sdk::VerifyResult CloseFlow::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  const Flow way = WayFrom(context);
  const std::string table = TableName(BubbleName(context)), set = SetFor("flows", way.from.ipv6);
  const sdk::RunResult got =
      sdk::Run(context, {"nft", "get", "element", "inet", table, set, "{ " + Tuple(way.from, way.to) + " }"});
  probe.evidence.push_back(
      {"command", "nft get element inet " + table + " " + set + ": " + (got.ok() ? "is in" : "is not in")});
  sdk::VerifyResult result{probe.holds && !got.ok(), probe.summary, std::move(probe.evidence), std::move(probe.claims), {}, {}};
  TellAfterChange(context, BubbleName(context), result);
  return result;
}

}  // namespace reprise::bubble
