#include "plugins/bubble/way.h"

#include <algorithm>
#include <ctime>

#include "plugins/sdk/spelling.h"

namespace reprise::bubble {
namespace {

using sdk::Error;

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kDurationMax = 366 * kDay;
// Older ones that have ended are forgotten.
constexpr size_t kFlowsMax = 2000;

}  // namespace

Flow WayFrom(const sdk::Context& context) {
  Flow flow;
  flow.from = ParseAddress(context.Param("from"), "from");
  flow.to = {context.Param("protocol"), ParseAddress(context.Param("to"), "to"), context.Param<uint16_t>("port")};
  if (flow.from.ipv6 != flow.to.address.ipv6)
    throw Error("bad_params", "from and to are addresses of different families");
  if (flow.from == flow.to.address) throw Error("bad_params", "from and to are the same address");
  return flow;
}

void CheckAgainst(const Flow& flow, const Charter& charter) {
  if (charter.HasMember(flow.from) || charter.HasMember(flow.to.address)) return;
  throw Error("bad_params",
              "neither " + flow.from.text + " nor " + flow.to.address.text + " is a member of bubble " + charter.bubble,
              "members are named by bubble.gateway");
}

Flow FlowFrom(const sdk::Context& context, int64_t now_ms) {
  Flow flow = WayFrom(context);
  const int64_t duration = context.Duration("duration").count();
  const int64_t supervised = context.Duration("supervised").count();
  if (duration < 1000 || duration > kDurationMax) {
    throw Error("bad_params", "parameter duration is " + context.Param("duration") + ", expected 1s to 366d",
                "every flow has an end");
  }
  if (supervised > duration) throw Error("bad_params", "parameter supervised is longer than duration");
  flow.decision = context.Param("decision");
  if (!sdk::IsLineOfText(flow.decision)) {
    throw Error("bad_params", "parameter decision is no line of text",
                "name the decision that opens this flow, such as D-12");
  }
  flow.opened_ms = now_ms;
  flow.until_ms = now_ms + duration;
  flow.supervised_until_ms = now_ms + supervised;
  return flow;
}

const Flow* Running(const Bubble& bubble, const Flow& way, int64_t now_ms) {
  for (const Flow& flow : bubble.flows) {
    if (flow.SameWay(way) && flow.RunsAt(now_ms)) return &flow;
  }
  return nullptr;
}
const Flow* Opened(const Bubble& bubble, const Flow& wanted) {
  for (const Flow& flow : bubble.flows) {
    if (flow.SameWay(wanted) && flow.decision == wanted.decision) return &flow;
  }
  return nullptr;
}

bool InKernel(const std::optional<Table>& table, const Flow& flow) {
  return table && table->Has(SetFor("flows", flow.from.ipv6), Tuple(flow.from, flow.to));
}

std::string UtcOf(int64_t unix_ms) {
  const time_t seconds = unix_ms / 1000;
  tm parts{};
  char text[32] = "?";
  if (gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string WhyNotOpen(const Bubble& bubble, const Flow& wanted, const std::optional<Table>& table, int64_t now_ms) {
  const Flow* opened = Opened(bubble, wanted);
  if (opened == nullptr) return "not opened";
  if (opened->closed_ms != 0) return "it was opened by this decision, and closed";
  if (!opened->RunsAt(now_ms)) return "the time for which this decision opened it is over";
  if (InKernel(table, wanted) && !table->Sealed()) return "";
  return std::string("closed ") +
         (table && table->Sealed() ? "until bubble.readmit: the bubble is sealed" : "by the gateway's restart") +
         ", and its time lasts until " + UtcOf(opened->until_ms);
}

void MakeRoom(std::vector<Flow>& flows, int64_t now_ms) {
  if (flows.size() < kFlowsMax) return;
  const auto ended = std::find_if(flows.begin(), flows.end(), [&](const Flow& flow) { return !flow.RunsAt(now_ms); });
  if (ended == flows.end())
    throw Error("too_many_flows", std::to_string(flows.size()) + " flows are open in this bubble");
  flows.erase(ended);
}

void LoadWay(const sdk::Context& context, const Bubble& bubble, const Flow& way, int64_t now_ms) {
  const auto table = Loaded(context, bubble.charter.bubble);
  if (!table) {
    throw Error("bubble_not_loaded", "table inet " + TableName(bubble.charter.bubble) + " is not there",
                "run bubble.gateway again");
  }
  std::string lines = DeleteElements(bubble.charter, table->Present(ElementsOf(way)));
  // A sealed bubble lets nothing through: what is noted comes with bubble.readmit.
  const Flow* running = table->Sealed() ? nullptr : Running(bubble, way, now_ms);
  if (running != nullptr) lines += AddFlow(bubble.charter, *running, now_ms);
  if (!lines.empty()) Change(context, lines);
}

}  // namespace reprise::bubble
