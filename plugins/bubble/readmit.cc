#include "plugins/bubble/readmit.h"

#include "plugins/bubble/told.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Error;

constexpr const char* kReadmittedClaim = "bubble.readmitted";

std::string BeforeKey(const std::string& bubble) {
  return "before-readmit." + bubble;
}

}  // namespace

sdk::ActionInfo Readmit::Describe() const {
  return {
      .name = "readmit",
      .summary = "Let posts and flows back in after a restart of the gateway, once the bubble is proven closed anew",
      .effect = sdk::Effect::kChange,
      .undoable = true,
      .needs = {.root = true, .network = true, .paths = {kFolder}},
      .timeout = "1m",
      .memory_mb = 256,
      .params = ProofParams()};
}

sdk::ProbeResult Readmit::Probe(sdk::Context& context) {
  ProofFrom(context);
  const std::string name = BubbleName(context);
  const auto bubble = Store().Get(name);
  const auto table = Loaded(context, name);
  const std::string why = !bubble           ? "this gateway has no bubble " + name
                          : !table          ? "its rules are not loaded"
                          : table->Sealed() ? Described(*bubble, true)
                                            : "";
  const std::string detail = why.empty() ? "not sealed: " + Described(*bubble, false) : why;
  const std::string lasting = bubble && table ? (why.empty() ? "not sealed: " : "") + Lasting(bubble->charter, table->Sealed()) : why;
  return {.holds = why.empty(),
          .summary = "bubble " + name + ": " + detail,
          .observed = {{"sealed", table && table->Sealed()}},
          .evidence = {{"nft", detail}},
          .claims = {{kReadmittedClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, lasting}}};
}

sdk::PlanResult Readmit::Plan(sdk::Context& context) {
  const sdk::ProbeResult probe = Probe(context);
  if (probe.holds) return {{}, "nothing to do"};
  const auto bubble = Store().Get(BubbleName(context));
  if (!bubble) return {{}, probe.summary};
  const Proof proof = TakeProof(context, bubble->charter.bubble, ProofFrom(context));
  return {
      {{"table inet " + TableName(bubble->charter.bubble), probe.summary, Described(*bubble, false)}},
      proof.state == ClaimState::kHolds ? "posts: " + Named(bubble->posts) : "would be refused now: " + proof.detail};
}

sdk::ApplyResult Readmit::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const std::string name = BubbleName(context);
  const Bubble bubble = store.Must(name);
  const Proof proof = TakeProof(context, name, ProofFrom(context));
  if (proof.table && !proof.table->Sealed()) return {false, "bubble " + name + " is not sealed"};
  if (!proof.table || proof.state != ClaimState::kHolds) {
    throw Error("not_proven", "bubble " + name + " stays sealed: " + proof.detail,
                "run bubble.prove_inside and bubble.prove_outside, then this again");
  }
  store.PutBefore(BeforeKey(name), {{"sealed", true}});
  Change(context, UnsealText(bubble, NowMs()));
  return {true, "bubble " + name + ": " + Described(bubble, false) + "; after a new proof: " + proof.detail};
}

sdk::VerifyResult Readmit::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  const std::string name = BubbleName(context);
  const sdk::RunResult seal = sdk::Run(context, {"nft", "list", "set", "inet", TableName(name), "sealed"});
  const bool off = seal.ok() && seal.out.find("elements") == std::string::npos;
  probe.evidence.push_back({"command", "nft list set inet " + TableName(name) + " sealed: " +
                                           (off ? "empty" : "not empty, or not there: " + seal.Why().substr(0, 200))});
  if (!off) probe.claims = {{kReadmittedClaim, ClaimState::kFails, "the gateway's rules are sealed"}};
  // What was let in is what is noted, no more: the rules are compared again, as they are now.
  const Proof proof = TakeProof(context, name, ProofFrom(context));
  sdk::VerifyResult result{.holds = probe.holds && off && proof.state != ClaimState::kFails,
                           .summary = proof.state == ClaimState::kFails ? proof.detail : probe.summary,
                           .evidence = std::move(probe.evidence),
                           .claims = std::move(probe.claims)};
  // The whole proof, whatever it is, by the kinds that were asked for.
  result.claims.push_back(ClosedClaim(proof));
  if (const auto bubble = Store().Get(name); bubble && proof.table) {
    result.claims.push_back(GatewayClaim(WhyNotInstalled(context, Store(), *bubble), bubble->charter, proof.table->Sealed()));
    result.measures = MeasuresOf(name, *proof.table);
  }
  return result;
}

sdk::RollbackResult Readmit::Rollback(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const std::string name = BubbleName(context);
  if (!store.Before(BeforeKey(name))) return {"nothing to undo"};
  const auto bubble = store.Get(name);
  const auto table = Loaded(context, name);
  if (bubble && table && !table->Sealed()) Change(context, SealedText(*bubble, table->counters));
  store.ForgetBefore(BeforeKey(name));
  return {"bubble " + name + " is sealed, as before"};
}

}  // namespace reprise::bubble
