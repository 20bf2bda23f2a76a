#include "plugins/mail/look_action.h"

#include <mutex>

#include "plugins/mail/batch_site.h"
#include "plugins/mail/folder_sync_windows.h"

namespace reprise::mail {
namespace {

using sdk::Error;

sdk::ActionInfo Info(const char* name, const char* summary, sdk::Params params) {
  return {.name = name,
          .summary = summary,
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = true},
          .timeout = "24h",
          .memory_mb = 4096,
          .params = std::move(params)};
}

struct Amount {
  uint64_t messages = 0, bytes = 0;
};

Amount AmountOf(Source& store, const Watch& watch) {
  Amount amount;
  for (const Folder& folder : store.Folders()) {
    if (!folder.selectable) continue;
    const FolderState state = store.Open(folder.path);
    for (UidWindows window(1, state.uid_next, 500); window.More();) {
      watch.check();
      size_t many = 0;
      store.List(window.first(), window.last(), [&](const Listed& message) { ++many, amount.bytes += message.bytes; });
      amount.messages += many;
      window.Seen(many);
    }
  }
  return amount;
}

std::string Shown(const char* side, const Amount& amount) {
  return std::string(side) + " " + std::to_string(amount.messages) + " messages, " + std::to_string(amount.bytes) + " bytes";
}

}  // namespace

sdk::ActionInfo Compare::Describe() const {
  return Info("compare", "Count the messages and bytes of a batch on both sides; no message is read", SiteParams());
}

sdk::ProbeResult Compare::Probe(sdk::Context& context) {
  Site site(context);
  Stores stores = site.stores();
  std::mutex mutex;
  Amount source, target;
  size_t equal = 0, not_reached = 0;
  std::map<std::string, size_t> why;
  const std::vector<BoxResult> results = site.Each("comparing", [&](const Box& box, const Watch& watch) {
    const BoxResult result = BoxAsKnown(site.state(), box, context.work_dir());
    Amount here, there;
    std::string not_now;
    try {
      here = AmountOf(*stores.source(box), watch);
      there = AmountOf(*stores.target(box), watch);
    } catch (const Error& error) {
      if (error.code() == "cancelled" || error.code() == "timed_out") throw;
      not_now = error.code();
    }
    const std::lock_guard lock(mutex);
    source.messages += here.messages, source.bytes += here.bytes;
    target.messages += there.messages, target.bytes += there.bytes;
    equal += not_now.empty() && here.messages == there.messages && here.bytes == there.bytes;
    not_reached += !not_now.empty();
    if (!not_now.empty()) ++why[not_now];
    return result;
  });
  const BatchTally tally = TallyOf(results);
  std::string detail = "batch " + site.batch() + ": " + tally.Shown() + "; " + Shown("source", source) + "; " + Shown("target", target) + "; " +
                       std::to_string(equal) + " of " + std::to_string(tally.all()) + " mailboxes count the same";
  for (const auto& [code, many] : why) detail += "; " + std::to_string(many) + " do not open: " + code;
  return {.holds = not_reached == 0,
          .summary = detail,
          .observed = {{"source_messages", source.messages}, {"source_bytes", source.bytes}, {"target_messages", target.messages},
                       {"target_bytes", target.bytes}, {"boxes", tally.all()}, {"equal", equal}, {"not_reached", not_reached}},
          .evidence = {{"imap", detail}},
          .measures = site.Measures(results)};
}

sdk::ActionInfo Verify::Describe() const {
  sdk::Params params = SiteParams();
  params.Add(sdk::Integer("read").Range(1, 1'000'000).Default(1).About("Every so many-th message is read on both sides and its hash compared; 1: all"));
  return Info("verify", "Read every message of a batch on both sides and compare their hashes, flags, dates, order and folders", std::move(params));
}

sdk::ProbeResult Verify::Probe(sdk::Context& context) {
  Site site(context);
  Stores stores = site.stores();
  VerifyOptions look;
  look.one_in = context.Param<uint64_t>("read");
  const std::vector<BoxResult> results = site.Each("verifying", [&](const Box& box, const Watch& watch) {
    BoxResult result = BoxAsKnown(site.state(), box, context.work_dir());
    const auto ledger = site.LedgerOf(box);
    const auto source = stores.source(box);
    const auto target = stores.target(box);
    result.verified = VerifyBox(*source, *target, ledger ? &*ledger : nullptr, look, watch);
    if (!result.verified->holds()) {
      result.state = BoxState::kFailed;
      result.why = "differs";
    } else if (result.state != BoxState::kCutOver) {
      result.state = BoxState::kVerified;
      result.why.clear();
    }
    return result;
  });
  const BatchTally tally = TallyOf(results);
  const bool same = tally.of(BoxState::kFailed) == 0 && tally.all() > 0;
  const std::string detail = "batch " + site.batch() + ": " + tally.Shown() + "; " + tally.verified.Shown() + ", " + std::to_string(tally.verified.read) +
                             " read on both sides" + NotScanned(results);
  // A sample is no proof of the others.
  const sdk::ClaimState state = !same ? sdk::ClaimState::kFails : look.one_in == 1 ? sdk::ClaimState::kHolds : sdk::ClaimState::kUnknown;
  std::vector<sdk::Evidence> evidence = site.Lines(results);
  evidence.insert(evidence.begin(), {"imap", detail});
  std::vector<sdk::Claim> claims = {{"mail.verified", state, detail}};
  // Closed mailboxes that are proven equal: that is what cut over means.
  if (tally.of(BoxState::kCutOver) == tally.all() && state == sdk::ClaimState::kHolds) claims.push_back({"mail.cut_over", state, detail});
  return {.holds = same,
          .summary = detail,
          .observed = {{"messages", tally.verified.messages}, {"same", tally.verified.same}, {"read", tally.verified.read}},
          .evidence = std::move(evidence),
          .claims = std::move(claims),
          .measures = site.Measures(results)};
}

}  // namespace reprise::mail
