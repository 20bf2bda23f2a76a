#include "plugins/bubble/proof.h"

#include <algorithm>

#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Json;

bool IsKind(const std::string& kind, const std::string& element) {
  if (kind == "ipv6") return element.rfind("ipv6 . ", 0) == 0;
  const std::string protocol = element.substr(element.find(" . ") + 3);
  return kind == "icmp" ? protocol == "icmp" || protocol == "ipv6-icmp" : protocol == kind;
}

// An interface that is there, by its own name, with nothing on it: as the port of a bridge, or by another link that stands on it, packets
// of its cable would come in by another name.
void CheckInterfaces(const sdk::Context& context, const Charter& charter, std::vector<std::string>& holes,
                     std::vector<std::string>& unproven) {
  const sdk::RunResult shown = sdk::Run(context, {"ip", "-j", "-d", "link", "show"});
  const Json links = Json::parse(shown.out, nullptr, false);
  if (!shown.ok() || !links.is_array()) {
    unproven.push_back("interfaces cannot be looked at: " + shown.Why());
    return;
  }
  for (const std::string& name : charter.interfaces) {
    bool there = false;
    for (const Json& link : links) {
      const std::string other = link.value("ifname", "?");
      const std::string kind = link.value("linkinfo", Json::object()).value("info_kind", "");
      there = there || other == name;
      if (other == name && link.contains("master")) {
        holes.push_back("interface " + name + " is a port of " + link.value("master", "?") + ": its packets go past rules by its name");
      }
      // Of a pair, each names the other as its link: they are two ends, not one on the other.
      if (link.value("link", "") == name && kind != "veth") {
        holes.push_back("interface " + other + " (" + kind + ") stands on " + name + ": packets of its cable come in past rules by its name");
      }
    }
    if (!there) unproven.push_back("interface " + name + " is not there");
  }
}

std::string JoinedWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string Ago(int64_t seconds) {
  return seconds % 60 == 0 ? std::to_string(seconds / 60) + "m" : std::to_string(seconds) + "s";
}

void CheckLately(const Table& table, const char* side, const std::vector<std::string>& kinds, int64_t fresh_s,
                 std::vector<std::string>& unproven) {
  const std::string way = side;
  // What is refused on its way out was sent by the prover inside.
  const std::string prover = way == "out" ? "bubble.prove_inside" : "bubble.prove_outside";
  if (kinds.empty()) unproven.push_back("kinds_" + way + " is empty: nothing was to be tried");
  const auto missing = NotRefusedLately(table, side, kinds, fresh_s);
  if (missing.empty()) return;
  unproven.push_back("nothing was refused on its way " + way + " within " + Ago(fresh_s) + " over " +
                     JoinedWords(missing) + " (run " + prover + ")");
}

void Look(const sdk::Context& context, const Store& store, const std::string& name, const std::optional<Bubble>& bubble,
          const ProofAsked& asked, Proof& proof) {
  proof.table = Loaded(context, name);
  if (!bubble) {
    proof.unproven.push_back("this gateway knows no bubble " + name);
  } else if (!proof.table) {
    proof.holes.push_back("there is no table inet " + TableName(name) + ": nothing is refused");
  } else {
    proof.holes = Differences(*bubble, *proof.table, NowMs());
    for (const std::string& way : WaysAround(context)) proof.holes.push_back(way + " leads around the rules");
    for (std::string& loose : LooseBolts(context, store, *bubble)) proof.holes.push_back(std::move(loose));
    CheckInterfaces(context, bubble->charter, proof.holes, proof.unproven);
    CheckLately(*proof.table, "out", asked.kinds_out, asked.fresh_s, proof.unproven);
    CheckLately(*proof.table, "in", asked.kinds_in, asked.fresh_s, proof.unproven);
  }
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

sdk::Params ProofParams() {
  using namespace sdk;
  const Json all = ProofAsked().kinds_out;
  return {Name("bubble").Required().AtMost(32).About("The bubble that is proven"),
          List("kinds_out")
              .OneOf({"tcp", "udp", "icmp", "dns", "ipv6"})
              .Default(all)
              .About("Of each, packets on their way out must have been refused: run prove_inside before"),
          List("kinds_in")
              .OneOf({"tcp", "udp", "icmp", "dns", "ipv6"})
              .Default(all)
              .About("Of each, packets on their way in must have been refused: run prove_outside before"),
          Duration("fresh").Default("10m").About("How long ago at most, up to 1h")};
}

ProofAsked ProofFrom(const sdk::Context& context) {
  ProofAsked asked;
  asked.kinds_out = context.Param<std::vector<std::string>>("kinds_out");
  asked.kinds_in = context.Param<std::vector<std::string>>("kinds_in");
  asked.fresh_s = context.Duration("fresh").count() / 1000;
  if (asked.fresh_s < 1 || asked.fresh_s > 3600)
    throw sdk::Error("bad_params", "parameter fresh is " + context.Param("fresh") + ", expected 1s to 1h");
  return asked;
}

Proof TakeProof(const sdk::Context& context, const std::string& name, const ProofAsked& asked) {
  const Store store;
  const auto bubble = store.Get(name);
  Proof proof;
  try {
    Look(context, store, name, bubble, asked, proof);
  } catch (const sdk::Error& error) {
    // What cannot be looked at is not proven, whatever was proven before: nothing that requires it may go on.
    if (error.code() == "cancelled") throw;
    proof.unproven.push_back(error.what());
  }
  if (!proof.holes.empty()) {
    proof.state = ClaimState::kFails;
    proof.detail = Listed(proof.holes, 5);
  } else if (!proof.unproven.empty()) {
    proof.detail = Listed(proof.unproven, 5);
  } else {
    proof.state = ClaimState::kHolds;
    proof.detail = "rules as expected (" + Lasting(bubble->charter, proof.table->Sealed()) +
                   "); every kind was refused both ways within " + Ago(asked.fresh_s);
  }
  return proof;
}

}  // namespace reprise::bubble
