// The other side's list of what it sent: carried by hand, for its interface is what is being judged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/lis/reconciliation.h"
#include "plugins/sdk/file.h"

namespace reprise::lis {

inline sdk::Param LedgerParam() {
  return sdk::Path("ledger").About("The other side's list of control ids sent, one a line; else the artifact ledger.txt");
}

// Nothing if the step has none.
inline std::optional<std::vector<std::string>> LedgerOf(const sdk::Context& context) {
  if (context.Has("ledger")) {
    const std::string path = context.Param("ledger");
    const auto text = sdk::ReadFileIfThere(path, 64 << 20);
    if (!text) throw sdk::Error("no_ledger", "the other side's list " + path + " is not on this host", "carry it here, or give the step the artifact ledger.txt");
    return ParseLedger(*text);
  }
  if (context.artifacts().contains("ledger.txt")) return ParseLedger(sdk::ReadFile(context.Artifact("ledger.txt"), 64 << 20));
  return std::nullopt;
}

}  // namespace reprise::lis
