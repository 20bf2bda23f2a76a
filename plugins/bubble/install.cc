#include "plugins/bubble/install.h"

#include <algorithm>

namespace reprise::bubble {
namespace {

std::string Counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
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

std::string Described(const Bubble& bubble) {
  const int64_t now = NowMs();
  const auto open =
      std::count_if(bubble.flows.begin(), bubble.flows.end(), [&](const Flow& flow) { return flow.RunsAt(now); });
  return "default drop, " + Counted(bubble.charter.members.size(), "member") + ", " +
         Counted(bubble.charter.management.size(), "management flow") + ", " + std::to_string(bubble.posts.size()) +
         " of " + Counted(static_cast<size_t>(bubble.charter.posts_max), "post") + ", " +
         Counted(static_cast<size_t>(open), "flow");
}

std::string WhyNotInstalled(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const auto noted = store.Get(bubble.charter.bubble);
  if (!noted) return "this gateway has no bubble " + bubble.charter.bubble;
  if (!SameCharter(noted->charter, bubble.charter)) return "the bubble was made otherwise";
  const auto table = Loaded(context, bubble.charter.bubble);
  if (!table) return "there is no table inet " + TableName(bubble.charter.bubble);
  const auto differences = Differences(bubble, *table, NowMs());
  if (!differences.empty()) return Listed(differences, 3);
  return WhyNotBootable(context, store, bubble);
}

void Install(const sdk::Context& context, const Store& store, const Bubble& bubble) {
  const auto table = Loaded(context, bubble.charter.bubble);
  store.Put(bubble);
  // What the next boot loads never lags behind what was loaded now in the direction of more.
  WriteRules(store, bubble);
  if (!table || !Differences(bubble, *table, NowMs()).empty()) {
    context.Progress(0.3, "loading the rules");
    Change(context, TableText(bubble, table ? table->counters : std::map<std::string, Count>(), NowMs()));
  }
  context.Progress(0.6, "making them come back after a restart");
  InstallHook(context, store, bubble);
}

std::string WhyNotGone(const sdk::Context& context, const Store& store, const std::string& bubble) {
  if (Loaded(context, bubble)) return "table inet " + TableName(bubble) + " is loaded";
  if (HookIsThere(context, bubble)) return "service " + ServiceName(bubble) + " is there";
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
  return store.Forget(bubble) || any;
}

}  // namespace reprise::bubble
