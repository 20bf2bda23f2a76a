#include "plugins/bubble/nft.h"

#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::Error;

sdk::RunOptions Much() {
  sdk::RunOptions options;
  options.output_max = 16 << 20;
  return options;
}

// nft 1.0.6 takes the name of a dormant table's flag from wherever in its memory; where that is no text, its JSON ends
// there.
bool EndsAtAFlag(std::string json) {
  json.erase(json.find_last_not_of(" \n") + 1);
  return json.ends_with("\"flags\":");
}

}  // namespace

std::optional<Table> Loaded(const sdk::Context& context, const std::string& bubble) {
  const sdk::RunResult result = sdk::Run(context, {"nft", "-j", "list", "table", "inet", TableName(bubble)}, Much());
  if (result.ok() && EndsAtAFlag(result.out)) {
    Table table;
    table.flags = {"dormant"};
    return table;
  }
  if (result.ok()) return TableFrom(result.out);
  if (result.err.find("No such file or directory") != std::string::npos) return std::nullopt;
  throw Error("nft_failed", "nft list table: " + result.Why(), "does this host's kernel have nf_tables?");
}

std::vector<std::string> WaysAround(const sdk::Context& context) {
  const sdk::RunResult result = sdk::Run(context, {"nft", "-j", "list", "ruleset"}, Much());
  if (!result.ok()) throw Error("nft_failed", "nft list ruleset: " + result.Why());
  if (EndsAtAFlag(result.out)) {
    throw Error("nft_failed", "nft -j list ruleset cannot be read beyond a table that is dormant",
                "wake that table, or take it away");
  }
  return WaysAround(result.out);
}

void Change(const sdk::Context& context, const std::string& lines) {
  const auto file = context.work_dir() / "change.nft";
  sdk::WriteFileAtomically(file, lines, 0600);
  for (const bool only_check : {true, false}) {
    std::vector<std::string> command = {"nft", "-f", file.string()};
    if (only_check) command.insert(command.begin() + 1, "-c");
    const sdk::RunResult done = sdk::Run(context, command);
    if (done.ok()) continue;
    // ENFILE is what the kernel says of a set at its size.
    if (done.err.find("Too many open files in system") != std::string::npos)
      throw Error("set_full", "nft: " + done.Why());
    throw Error("nft_refused", "nft " + command[1] + ": " + done.Why(),
                "nothing was changed: nft changes all or nothing");
  }
}

bool DeleteTable(const sdk::Context& context, const std::string& bubble) {
  if (!Loaded(context, bubble)) return false;
  Change(context, "delete table inet " + TableName(bubble) + "\n");
  return true;
}

}  // namespace reprise::bubble
