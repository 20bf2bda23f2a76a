#include "plugins/bubble/install.h"

#include <algorithm>

#include "plugins/bubble/bolt.h"
#include "plugins/bubble/own.h"

namespace reprise::bubble {
namespace {

std::string Counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string Walls(const Charter& charter) {
  return "default drop, " + Counted(charter.members.size(), "member") + ", " +
         Counted(charter.management.size(), "management flow");
}

size_t OpenFlows(const Bubble& bubble) {
  const int64_t now = NowMs();
  return static_cast<size_t>(
      std::count_if(bubble.flows.begin(), bubble.flows.end(), [&](const Flow& flow) { return flow.RunsAt(now); }));
}

std::vector<Charter> OtherCharters(const Store& store, const std::string& bubble) {
  std::vector<Charter> charters;
  for (const Bubble& other : store.All(bubble)) charters.push_back(other.charter);
  return charters;
}

std::vector<Charter> Charters(const Store& store, const Bubble& bubble) {
  std::vector<Charter> charters = OtherCharters(store, bubble.charter.bubble);
  charters.push_back(bubble.charter);
  return charters;
}

}  // namespace

std::vector<std::string> WritablePaths() {
  return {kFolder, "/etc/service", "/etc/systemd/system"};
}

std::string Listed(const std::vector<std::string>& lines, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, lines.size()); ++i) text += (i == 0 ? "" : "; ") + lines[i];
  return lines.size() > most ? text + "; and " + std::to_string(lines.size() - most) + " more" : text;
}

bool ComesSealed(const Bubble& bubble, const std::optional<Table>& table) {
  // A dormant table is as good as none.
  if (table && table->flags.empty()) return table->Sealed();
  return !bubble.posts.empty() || OpenFlows(bubble) > 0;
}

std::vector<std::string> LooseBolts(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  return LooseBolts(context, Charters(store, bubble));
}

std::string Lasting(const Charter& charter, bool sealed) {
  return Walls(charter) + ", at most " + Counted(static_cast<size_t>(charter.posts_max), "post") +
         (sealed ? ", sealed until bubble.readmit" : "");
}

std::string Described(const Bubble& bubble, bool sealed) {
  const std::string posts = std::to_string(bubble.posts.size()) + " of " +
                            Counted(static_cast<size_t>(bubble.charter.posts_max), "post"),
                    flows = Counted(OpenFlows(bubble), "flow");
  return Walls(bubble.charter) + ", " +
         (sealed ? "sealed: " + posts + " and " + flows + " wait for bubble.readmit" : posts + ", " + flows);
}

std::string MissingInterface(const Charter& charter) {
  const auto missing = std::find_if_not(charter.interfaces.begin(), charter.interfaces.end(), HasInterface);
  return missing == charter.interfaces.end() ? "" : *missing;
}

std::string WhyNotInstalled(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const auto noted = store.Get(bubble.charter.bubble);
  if (!noted) return "this gateway has no bubble " + bubble.charter.bubble;
  if (!SameCharter(noted->charter, bubble.charter)) return "the bubble was made otherwise";
  if (const std::string name = MissingInterface(bubble.charter); !name.empty()) return "interface " + name + " is not there";
  const auto table = Loaded(context, bubble.charter.bubble);
  if (!table) return "there is no table inet " + TableName(bubble.charter.bubble);
  const auto differences = Differences(bubble, *table, NowMs());
  if (!differences.empty()) return Listed(differences, 3);
  const auto loose = LooseBolts(context, store, bubble);
  if (!loose.empty()) return Listed(loose, 3);
  return WhyNotBootable(context, store, bubble);
}

void Install(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const auto table = Loaded(context, bubble.charter.bubble);
  const bool sealed = ComesSealed(bubble, table);
  store.Put(bubble);
  // What the next boot loads never lags behind what was loaded now in the direction of more.
  WriteRules(store, bubble);
  if (!table || !Differences(bubble, *table, NowMs()).empty()) {
    context.Progress(0.3, "loading the rules");
    const auto counted = table ? table->counters : std::map<std::string, Count>();
    Change(context, sealed ? SealedText(bubble, counted) : TableText(bubble, counted, NowMs()));
  }
  context.Progress(0.6, "making them come back after a restart");
  InstallHook(context, store, bubble);
  // After the hook: a guard that still knew the former bolts would set them again.
  SetBolts(context, Charters(store, bubble));
}

std::string WhyNotGone(const sdk::Context& context, const Store& store, const std::string& bubble) {
  if (Loaded(context, bubble)) return "table inet " + TableName(bubble) + " is loaded";
  if (HookIsThere(context, bubble)) return "service " + ServiceName(bubble) + " is there";
  if (HasLeftover(context, OtherCharters(store, bubble))) return "its bolts are in the gateway's routing";
  std::error_code error;
  if (std::filesystem::exists(store.File("bubble", (bubble + ".json").c_str()), error))
    return "it is noted on this gateway";
  return "";
}

bool Remove(const sdk::Context& context, const Store& store, const std::string& bubble) {
  std::optional<Bubble> noted;
  try {
    noted = store.Get(bubble);
  } catch (const sdk::Error& error) {
    if (error.code() != "notes_broken") throw;
  }
  Bubble unknown;
  unknown.charter.bubble = bubble;
  // The guard first: it would bring the rules back. Forwarding ends with it, before the rules do.
  bool any = RemoveHook(context, store, noted.value_or(unknown));
  context.Progress(0.6, "taking the rules away");
  any = DeleteTable(context, bubble) || any;
  if (const auto others = OtherCharters(store, bubble); HasLeftover(context, others)) {
    SetBolts(context, others);
    any = true;
  }
  return store.Forget(bubble) || any;
}

}  // namespace reprise::bubble
