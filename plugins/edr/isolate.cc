#include "plugins/edr/isolate.h"

#include <algorithm>
#include <optional>

#include "plugins/edr/isolation.h"
#include "plugins/edr/reach.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::edr {
namespace {

using sdk::ClaimState;
using sdk::Error;

constexpr const char* kIsolatedClaim = "edr.isolated";
constexpr std::chrono::milliseconds kTry = std::chrono::seconds(2);

std::vector<Endpoint> Allowed(const sdk::Context& context) {
  std::vector<Endpoint> allowed;
  for (const std::string& text : context.Param<std::vector<std::string>>("allow")) {
    const Endpoint one = ParseEndpoint(text, "allow");
    if (std::find(allowed.begin(), allowed.end(), one) == allowed.end()) allowed.push_back(one);
  }
  if (allowed.empty()) {
    throw Error("bad_params", "parameter allow is empty: nobody could reach this host ever again",
                "allow the coordinator's address and port");
  }
  return allowed;
}

std::optional<Endpoint> Forbidden(const sdk::Context& context, const std::vector<Endpoint>& allowed) {
  if (!context.Has("forbidden")) return std::nullopt;
  const Endpoint forbidden = ParseEndpoint(context.Param("forbidden"), "forbidden");
  if (std::find(allowed.begin(), allowed.end(), forbidden) != allowed.end()) {
    throw Error("bad_params", "parameter forbidden is " + forbidden.Shown() + ", which allow has too");
  }
  return forbidden;
}

// The table as nft shows it; nothing if there is none.
std::optional<std::string> TableJson(const sdk::Context& context) {
  sdk::RunOptions options;
  options.output_max = 1 << 20;
  const sdk::RunResult result =
      sdk::Run(context, {"nft", "-j", "list", "table", "inet", kIsolationTable}, options);
  if (result.ok()) return result.out;
  if (result.err.find("No such file or directory") != std::string::npos) return std::nullopt;
  throw Error("nft_failed", "nft list table: " + result.Why(), "does this host's kernel have nf_tables?");
}

// What the rules lack of what is wanted; empty if nothing.
std::string WhyNotIsolated(const std::optional<std::string>& table, const std::vector<Endpoint>& allowed) {
  if (!table) return std::string("there is no table inet ") + kIsolationTable;
  return FirstDifference(ExpectedChains(allowed), ChainsOf(*table));
}

std::string Listed(const std::vector<Endpoint>& allowed) {
  std::string text;
  for (const Endpoint& one : allowed) text += (text.empty() ? "" : ", ") + one.Shown();
  return text;
}

bool DropTable(const sdk::Context& context) {
  if (!TableJson(context)) return false;
  const sdk::RunResult result = sdk::Run(context, {"nft", "delete", "table", "inet", kIsolationTable});
  if (!result.ok()) throw Error("nft_failed", "nft delete table: " + result.Why());
  return true;
}

}  // namespace

sdk::ActionInfo Isolate::Describe() const {
  return {.name = "isolate",
          .summary = "Cut the host's network but for a few addresses",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = {sdk::List("allow").Required().AtMost(64).About(
                         "ADDRESS:PORT or [ADDRESS6]:PORT to which the host may open TCP connections: the coordinator"),
                     sdk::Text("forbidden").AtMost(64).About("ADDRESS:PORT that verify tries, and must not reach")}};
}

sdk::ProbeResult Isolate::Probe(sdk::Context& context) {
  const std::vector<Endpoint> allowed = Allowed(context);
  Forbidden(context, allowed);
  const auto table = TableJson(context);
  const std::string why = WhyNotIsolated(table, allowed);
  const std::string detail = why.empty() ? "cut off but for " + Listed(allowed) : why;
  return {.holds = why.empty(),
          .summary = detail,
          .observed = {{"table", table.has_value()}, {"dropped_in", table ? DroppedIn(*table, "input") : 0},
                       {"dropped_out", table ? DroppedIn(*table, "output") : 0}},
          .evidence = {{"nft", detail}},
          .claims = {{kIsolatedClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult Isolate::Plan(sdk::Context& context) {
  const std::vector<Endpoint> allowed = Allowed(context);
  const std::string why = WhyNotIsolated(TableJson(context), allowed);
  if (why.empty()) return {{}, "nothing to do"};
  return {{{std::string("table inet ") + kIsolationTable, why, "everything dropped but lo and " + Listed(allowed)}},
          "the host is cut off but for " + Listed(allowed)};
}

sdk::ApplyResult Isolate::Apply(sdk::Context& context) {
  const std::vector<Endpoint> allowed = Allowed(context);
  if (WhyNotIsolated(TableJson(context), allowed).empty()) return {false, "already cut off"};
  const auto rules = context.work_dir() / "isolation.nft";
  sdk::WriteFileAtomically(rules, IsolationRules(allowed), 0600);
  const sdk::RunResult checked = sdk::Run(context, {"nft", "-c", "-f", rules.string()});
  if (!checked.ok()) throw Error("nft_refused", "nft -c: " + checked.Why(), "nothing was changed");
  const sdk::RunResult done = sdk::Run(context, {"nft", "-f", rules.string()});
  if (!done.ok()) throw Error("nft_failed", "nft -f: " + done.Why(), "nft changes all or nothing");
  return {true, "cut off but for " + Listed(allowed)};
}

sdk::VerifyResult Isolate::Verify(sdk::Context& context) {
  const std::vector<Endpoint> allowed = Allowed(context);
  const std::optional<Endpoint> forbidden = Forbidden(context, allowed);
  const auto before = TableJson(context);
  std::string why = WhyNotIsolated(before, allowed);
  std::vector<sdk::Evidence> evidence = {{"nft", why.empty() ? "the rules are those wanted" : why}};
  if (forbidden) {
    const Reach reach = TryToReach(context, *forbidden, kTry);
    evidence.push_back({"network", "forbidden " + reach.text});
    if (reach.GotThrough()) why = "a forbidden address was reached: " + reach.text;
    if (const auto after = TableJson(context); before && after) {
      evidence.push_back({"nft", "packets dropped on their way out: " + std::to_string(DroppedIn(*before, "output")) +
                                     ", then " + std::to_string(DroppedIn(*after, "output"))});
    }
  }
  // Told, not judged: an allowed address may be down for its own reasons.
  evidence.push_back({"network", "allowed " + TryToReach(context, allowed[0], kTry).text});
  const std::string detail = why.empty() ? "cut off but for " + Listed(allowed) : why;
  return {.holds = why.empty(),
          .summary = detail,
          .evidence = std::move(evidence),
          .claims = {{kIsolatedClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::RollbackResult Isolate::Rollback(sdk::Context& context) {
  return {DropTable(context) ? "the table is gone, the network is back" : "there was no table"};
}

sdk::ActionInfo Release::Describe() const {
  return {.name = "release",
          .summary = "Give an isolated host its network back",
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = {}};
}

sdk::ProbeResult Release::Probe(sdk::Context& context) {
  const bool isolated = TableJson(context).has_value();
  const std::string detail = isolated ? std::string("table inet ") + kIsolationTable + " is there"
                                      : std::string("there is no table inet ") + kIsolationTable;
  return {.holds = !isolated,
          .summary = detail,
          .observed = {{"table", isolated}},
          .evidence = {{"nft", detail}},
          // A table whose rules were not compared proves no isolation.
          .claims = {{kIsolatedClaim, isolated ? ClaimState::kUnknown : ClaimState::kFails, detail}}};
}

sdk::PlanResult Release::Plan(sdk::Context& context) {
  if (!TableJson(context)) return {{}, "nothing to do"};
  return {{{std::string("table inet ") + kIsolationTable, "there", "gone"}}, "the host gets its network back"};
}

sdk::ApplyResult Release::Apply(sdk::Context& context) {
  return DropTable(context) ? sdk::ApplyResult{true, "the table is gone"} : sdk::ApplyResult{false, "there was no table"};
}

sdk::VerifyResult Release::Verify(sdk::Context& context) {
  // By another list than the one that was asked before.
  const sdk::RunResult tables = sdk::RunOrThrow(context, {"nft", "list", "tables"});
  const bool isolated = tables.out.find(kIsolationTable) != std::string::npos;
  const std::string detail = isolated ? "nft still lists the table" : "nft lists no such table";
  return {.holds = !isolated,
          .summary = detail,
          .evidence = {{"command", "nft list tables: " + tables.out.substr(0, 400)}},
          .claims = {{kIsolatedClaim, isolated ? ClaimState::kUnknown : ClaimState::kFails, detail}}};
}

}  // namespace reprise::edr
