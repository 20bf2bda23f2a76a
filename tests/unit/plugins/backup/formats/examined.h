// One content through the examiner with every decoder, as a test wants to ask of it.
#pragma once

#include <string>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/examiner.h"

namespace reprise::backup::testing {

inline Outcome Examined(const std::string& name, std::string bytes, Limits limits = {}) {
  static const auto decoders = AllDecoders();
  MemorySource source(std::move(bytes));
  Examiner examiner(decoders, limits);
  return examiner.Examine(source, name, source.Size());
}

// The worst that was found; "sound" when nothing was and every byte was decoded, "checked" when also under checksums.
inline std::string Told(const Outcome& outcome) {
  const Finding* worst = nullptr;
  for (const Finding& finding : outcome.findings) {
    if (worst == nullptr || finding.sign < worst->sign) worst = &finding;
  }
  if (worst != nullptr) return NameOf(worst->sign);
  if (outcome.extent.decoded != outcome.extent.bytes) return "not decoded";
  return outcome.extent.checked == outcome.extent.bytes ? "checked" : "sound";
}

}  // namespace reprise::backup::testing
