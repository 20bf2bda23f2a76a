#include "plugins/bubble/counters.h"

#include "plugins/bubble/told.h"

namespace reprise::bubble {
namespace {

using sdk::Json;

size_t Size(const Table& table, const std::string& set) {
  const auto found = table.sets.find(set);
  return found == table.sets.end() ? 0 : found->second.elements.size();
}

Json Flows(const Bubble& bubble, const Table& table) {
  Json flows = Json::array();
  for (const Flow& flow : bubble.flows) {
    const std::string set = SetFor("flows", flow.from.ipv6), element = Tuple(flow.from, flow.to);
    if (!flow.RunsAt(NowMs()) || !table.Has(set, element)) continue;
    const Element& figures = table.sets.at(set).elements.at(element);
    flows.push_back({{"flow", flow.Shown()},
                     {"decision", flow.decision},
                     {"until_ms", flow.until_ms},
                     {"packets", figures.packets},
                     {"supervised", table.Has(SetFor("supervised", flow.from.ipv6), element)}});
  }
  return flows;
}

}  // namespace

sdk::ActionInfo Counters::Describe() const {
  return {.name = "counters",
          .summary = "Count what the gateway refused and what it allows",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "30s",
          .memory_mb = 256,
          .params = {sdk::Name("bubble").Required().AtMost(32).About("The bubble")}};
}

sdk::ProbeResult Counters::Probe(sdk::Context& context) {
  const std::string name = BubbleName(context);
  const auto bubble = Store().Get(name);
  const auto table = Loaded(context, name);
  if (!table || !bubble) {
    const std::string why = bubble ? "its rules are not loaded" : "this gateway knows no bubble " + name;
    return {.holds = false,
            .summary = "bubble " + name + ": " + why,
            .evidence = {{"nft", why}},
            .claims = {{"bubble.counted", sdk::ClaimState::kUnknown, why}}};
  }
  const int64_t in = table->Packets("refused_in"), out = table->Packets("refused_out");
  const size_t flows = Size(*table, "flows4") + Size(*table, "flows6"), posts = Size(*table, "posts");
  const std::string detail = std::to_string(in) + " refused in, " + std::to_string(out) + " refused out, " +
                             std::to_string(flows) + " flow(s), " + std::to_string(posts) + " post(s)";
  return {.holds = true,
          .summary = "bubble " + name + ": " + detail,
          .observed = {{"measures",
                        {{"refused_in", in},
                         {"refused_out", out},
                         {"refused_gateway", table->Packets("refused_gateway")},
                         {"allowed_flows", flows},
                         {"posts", posts},
                         {"sealed", table->Sealed() ? 1 : 0},
                         {"supervised_connections", table->Packets("supervised")}}},
                       {"flows", Flows(*bubble, *table)}},
          .evidence = {{"nft", detail}},
          .claims = {{"bubble.counted", sdk::ClaimState::kHolds, "the numbers are measures"}},
          .measures = MeasuresOf(name, *table)};
}

}  // namespace reprise::bubble
