#include "plugins/bubble/prove.h"

#include <net/if.h>

#include <algorithm>

#include "plugins/bubble/install.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Json;

constexpr const char* kClosedClaim = "bubble.closed";

bool IsKind(const std::string& kind, const std::string& element) {
  if (kind == "ipv6") return element.rfind("ipv6 . ", 0) == 0;
  const std::string protocol = element.substr(element.find(" . ") + 3);
  return kind == "icmp" ? protocol == "icmp" || protocol == "ipv6-icmp" : protocol == kind;
}

// An interface that is there, by its own name: as the port of a bridge its packets would come in by the bridge's.
void CheckInterfaces(const sdk::Context& context, const Charter& charter, std::vector<std::string>& fails,
                     std::vector<std::string>& unknown) {
  for (const std::string& name : charter.interfaces) {
    if (if_nametoindex(name.c_str()) == 0) {
      unknown.push_back("interface " + name + " is not there");
      continue;
    }
    const sdk::RunResult shown = sdk::Run(context, {"ip", "-j", "link", "show", "dev", name});
    const Json links = Json::parse(shown.out, nullptr, false);
    if (!shown.ok() || !links.is_array() || links.empty()) {
      unknown.push_back("interface " + name + " cannot be looked at: " + shown.Why());
    } else if (links[0].contains("master")) {
      fails.push_back("interface " + name + " is a port of " + links[0].value("master", "?") +
                      ": its packets go past rules by its name");
    }
  }
}

std::string JoinedWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::vector<std::string> NotRefusedLately(const Table& table, const std::string& side,
                                          const std::vector<std::string>& kinds, int64_t fresh_s) {
  std::vector<std::string> missing;
  const auto timeout = SetsOf(Charter()).at("seen_in").timeout_s;
  for (const std::string& kind : kinds) {
    const auto set = table.sets.find(kind == "dns" ? "seen_dns_" + side : "seen_" + side);
    const bool seen = set != table.sets.end() &&
                      std::any_of(set->second.elements.begin(), set->second.elements.end(), [&](const auto& one) {
                        return (kind == "dns" || IsKind(kind, one.first)) && timeout - one.second.expires_s <= fresh_s;
                      });
    if (!seen) missing.push_back(kind);
  }
  return missing;
}

sdk::ActionInfo Prove::Describe() const {
  using namespace sdk;
  const Json all = {"tcp", "udp", "icmp", "dns", "ipv6"};
  return {.name = "prove",
          .summary = "Compare the gateway's rules with those wanted, and look what it refused lately",
          .effect = Effect::kRead,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = {Name("bubble").Required().AtMost(32).About("The bubble that is proven"),
                     List("kinds_out")
                         .OneOf({"tcp", "udp", "icmp", "dns", "ipv6"})
                         .Default(all)
                         .About("Of each, packets on their way out must have been refused: run prove_inside before"),
                     List("kinds_in")
                         .OneOf({"tcp", "udp", "icmp", "dns", "ipv6"})
                         .Default(all)
                         .About("Of each, packets on their way in must have been refused: run prove_outside before"),
                     Duration("fresh").Default("10m").About("How long ago at most, up to 1h")}};
}

sdk::ProbeResult Prove::Probe(sdk::Context& context) {
  const Store store;
  const std::string name = BubbleName(context);
  const int64_t fresh_s = context.Duration("fresh").count() / 1000;
  if (fresh_s < 1 || fresh_s > 3600)
    throw sdk::Error("bad_params", "parameter fresh is " + context.Param("fresh") + ", expected 1s to 1h");
  const auto bubble = store.Get(name);
  const auto table = Loaded(context, name);
  std::vector<std::string> fails, unknown;
  if (!bubble) unknown.push_back("this gateway knows no bubble " + name);
  if (bubble && !table) fails.push_back("there is no table inet " + TableName(name) + ": nothing is refused");
  if (bubble && table) {
    fails = Differences(*bubble, *table, NowMs());
    for (const std::string& way : WaysAround(context)) fails.push_back(way + " leads around the rules");
    CheckInterfaces(context, bubble->charter, fails, unknown);
    const auto lately = [&](const char* side, const char* parameter, const char* prover) {
      const auto kinds = context.Param<std::vector<std::string>>(parameter);
      if (kinds.empty()) unknown.push_back(std::string(parameter) + " is empty: nothing was to be tried");
      const auto missing = NotRefusedLately(*table, side, kinds, fresh_s);
      if (!missing.empty()) {
        unknown.push_back("nothing was refused on its way " + std::string(side) + " within " + context.Param("fresh") +
                          " over " + JoinedWords(missing) + " (run " + prover + ")");
      }
    };
    lately("out", "kinds_out", "bubble.prove_inside");
    lately("in", "kinds_in", "bubble.prove_outside");
  }
  const ClaimState state = !fails.empty()     ? ClaimState::kFails
                           : !unknown.empty() ? ClaimState::kUnknown
                                              : ClaimState::kHolds;
  std::vector<sdk::Evidence> evidence;
  Json observed = Json::object();
  if (table) {
    for (const char* counter : {"refused_in", "refused_out"}) observed[counter] = table->Packets(counter);
    evidence.push_back({"nft", "refused so far: " + std::to_string(table->Packets("refused_in")) + " in, " +
                                   std::to_string(table->Packets("refused_out")) + " out, " +
                                   std::to_string(table->Packets("refused_gateway")) +
                                   " to or from the gateway itself"});
  }
  for (const std::string& line : fails) evidence.push_back({"nft", line});
  for (const std::string& line : unknown) evidence.push_back({"unproven", line});
  if (fails.empty() && table)
    evidence.push_back(
        {"nft", "table inet " + TableName(name) + ": every chain, rule, set and element is as expected"});
  const std::string detail = !fails.empty() ? Listed(fails, 5)
                             : !unknown.empty()
                                 ? Listed(unknown, 5)
                                 : "rules as expected (" + Described(*bubble) +
                                       "); every kind was refused both ways within " + context.Param("fresh");
  return {.holds = state == ClaimState::kHolds,
          .summary = "bubble " + name + ": " + detail,
          .observed = std::move(observed),
          .evidence = std::move(evidence),
          .claims = {{kClosedClaim, state, detail}}};
}

}  // namespace reprise::bubble
