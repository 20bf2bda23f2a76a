#include <sys/statvfs.h>

#include <thread>

#include "plugins/pacs/actions.h"
#include "plugins/pacs/claims.h"
#include "plugins/pacs/index_view.h"
#include "plugins/pacs/proof.h"
#include "plugins/pacs/rest.h"
#include "plugins/pacs/server.h"

namespace reprise::pacs {
namespace {

using sdk::Error;

// A server that its supervisor starts anew is waited for.
constexpr std::chrono::seconds kGoneMax(60), kGoneAtFirstMax(20);

// Does what asks the server, again as long as nobody answers.
template <typename Ask>
auto Patiently(const sdk::Context& context, std::chrono::seconds at_most, const Ask& ask) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    try {
      return ask();
    } catch (const Error& error) {
      if (error.code() != "unreachable" || std::chrono::steady_clock::now() >= until) throw;
    }
    context.ThrowIfCancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

struct IndexState {
  Census census;
  std::vector<std::string> missing;  // Of the census; not in the index.
  uint64_t there = 0;
};

IndexState LookAt(const sdk::Context& context, const Place& place, const Settings& settings) {
  IndexState standing;
  standing.census = TakeCensus(context, place.restored(), [&](uint64_t done, uint64_t of) {
    context.Progress(0.2 * double(done) / double(of + 1), "reading the storage: " + std::to_string(done) + " of " + std::to_string(of) + " files");
  });
  Rest rest(context, settings);
  const auto there = InstancesByRest(rest);
  for (const auto& [uid, instance] : standing.census.instances) {
    if (there.contains(uid)) {
      ++standing.there;
    } else {
      standing.missing.push_back(uid);
    }
  }
  return standing;
}

std::string DetailOf(const IndexState& standing) {
  std::string text = std::to_string(standing.there) + " of " + std::to_string(standing.census.instances.size()) + " instances are in the index";
  if (const std::string why = standing.census.WhyNotWhole(); !why.empty()) text += "; " + why;
  return text;
}

void RefuseFullDisk(const Place& place) {
  struct statvfs room {};
  if (statvfs(place.storage().c_str(), &room) == 0 && room.f_bavail * room.f_frsize < (uint64_t{64} << 20)) {
    throw Error("disk_full", place.storage().string() + " has less than 64 MB left", "free space there, then retry the run");
  }
}

// Gives one file to the server. Empty: it has it; else why it does not take it.
std::string Give(const sdk::Context& context, Rest& rest, const std::filesystem::path& file) {
  return Patiently(context, kGoneMax, [&]() -> std::string {
    const Response response = rest.PostFile("/instances", file);
    if (response.ok()) return "";
    const sdk::Json said = sdk::Json::parse(response.body, nullptr, false);
    return "the server refuses it: " + (said.is_object() ? said.value("Message", "") : "status " + std::to_string(response.status));
  });
}

}  // namespace

sdk::ActionInfo RebuildIndex::Describe() const {
  return {.name = "rebuild_index",
          .summary = "Give every instance of the restored storage to the running server, which indexes it anew",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {"/srv/reprise"}},
          .timeout = "24h",
          .memory_mb = 2048,
          .params = {NameParam(),
                     sdk::Integer("sample").Range(0, 10000).Default(20).About("Images that verify fetches back and compares")}};
}

sdk::ProbeResult RebuildIndex::Probe(sdk::Context& context) {
  const Place place(context);
  const auto unknown = [&](const std::string& why) -> sdk::ProbeResult {
    return {.holds = false, .summary = why, .evidence = {{"server", why}}, .claims = {Unknown(kDataOk, why)}};
  };
  const auto settings = ConfiguredSettings(place);
  if (!settings) return unknown("this server was never started here");
  if (!std::filesystem::is_directory(place.restored())) return unknown("no storage is restored here");
  if (const std::string why = WhyNotAnswering(context, *settings); !why.empty()) return unknown(why);
  const IndexState standing = LookAt(context, place, *settings);
  const bool holds = standing.missing.empty() && !standing.census.instances.empty();
  const std::string detail = DetailOf(standing);
  // Only verify and health ask dcmtk, so only they may say that it holds.
  const sdk::Claim claim = holds && standing.census.IsWhole() ? Unknown(kDataOk, detail + "; not yet proven from outside") : Holds(kDataOk, false, detail);
  return {.holds = holds,
          .summary = detail,
          .observed = {{"instances", standing.census.instances.size()}, {"there", standing.there}, {"damaged", standing.census.damaged.size()}},
          .evidence = {{"index", detail}},
          .claims = {claim}};
}

sdk::PlanResult RebuildIndex::Plan(sdk::Context& context) {
  const Place place(context);
  const auto settings = ConfiguredSettings(place);
  if (!settings || !WhyNotAnswering(context, *settings).empty() || !std::filesystem::is_directory(place.restored())) {
    return {{{"index of " + place.service, "not known before the server runs", "every readable instance of the restored storage"}}, "rebuilds the index"};
  }
  const IndexState standing = LookAt(context, place, *settings);
  if (standing.missing.empty()) return {{}, "nothing to do"};
  return {{{"index of " + place.service, std::to_string(standing.there) + " instances", std::to_string(standing.census.instances.size()) + " instances"}},
          "gives " + std::to_string(standing.missing.size()) + " instances to the server"};
}

sdk::ApplyResult RebuildIndex::Apply(sdk::Context& context) {
  const Place place(context);
  const Settings settings = RequireSettings(place);
  const IndexState standing = Patiently(context, kGoneAtFirstMax, [&] {
    if (const std::string why = WhyNotAnswering(context, settings); !why.empty()) {
      throw Error("unreachable", "the server does not answer: " + why, "run pacs.start first");
    }
    return LookAt(context, place, settings);
  });
  if (standing.missing.empty() && !standing.census.instances.empty()) return {false, DetailOf(standing)};
  if (standing.census.instances.empty()) throw Error("no_data", "the restored storage has no instance that can be read: " + standing.census.WhyNotWhole());
  Rest rest(context, settings);
  std::vector<std::string> refused;
  uint64_t given = 0;
  for (const std::string& uid : standing.missing) {
    context.ThrowIfCancelled();
    const PlainFile file(context, place.restored(), standing.census.instances.at(uid));
    const std::string why = Give(context, rest, file.path());
    if (why.empty()) {
      ++given;
    } else {
      RefuseFullDisk(place);
      const std::string name = standing.census.instances.at(uid).file.string();
      if (refused.size() < 50) context.Log(sdk::LogLevel::kWarning, name + ": " + why);
      refused.push_back(name + ": " + why);
    }
    if (given % 50 == 0) {
      context.Progress(0.2 + 0.8 * double(given + refused.size()) / double(standing.missing.size()),
                       "indexing: " + std::to_string(given) + " of " + std::to_string(standing.missing.size()) + " instances");
    }
  }
  std::string summary = std::to_string(given) + " instances given, " + std::to_string(standing.there) + " were there";
  if (!refused.empty()) summary += "; " + std::to_string(refused.size()) + " refused (" + refused[0] + ")";
  if (const std::string why = standing.census.WhyNotWhole(); !why.empty()) summary += "; " + why;
  return {given > 0, summary};
}

sdk::VerifyResult RebuildIndex::Verify(sdk::Context& context) {
  const Place place(context);
  const Settings settings = RequireSettings(place);
  Proof proof = Prove(context, place, settings, context.Param<size_t>("sample"));
  return {.holds = proof.IsIndexWhole(),
          .summary = proof.Detail(),
          .evidence = std::move(proof.evidence),
          .claims = {Holds(kDataOk, proof.IsDataOk(), proof.Detail())}};
}

// Takes out what came from the restored storage, and leaves what came since.
sdk::RollbackResult RebuildIndex::Rollback(sdk::Context& context) {
  const Place place(context);
  const Settings settings = RequireSettings(place);
  const Census census = TakeCensus(context, place.restored());
  Rest rest(context, settings);
  uint64_t gone = 0;
  for (const auto& [uid, id] : InstancesByRest(rest)) {
    context.ThrowIfCancelled();
    if (!census.instances.contains(uid)) continue;
    const Response response = rest.Delete("/instances/" + id);
    if (!response.ok() && response.status != 404) throw Error("refused", "the server does not delete an instance: status " + std::to_string(response.status));
    ++gone;
  }
  return {std::to_string(gone) + " instances taken out of the index"};
}

}  // namespace reprise::pacs
