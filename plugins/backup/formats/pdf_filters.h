// What PDF calls filters: how the bytes of a stream were packed, one after the other. Undone strictly: every checksum must agree,
// and nothing may be left over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

struct Unfiltered {
  enum class Kind { kPlain, kJpeg, kBroken, kTooLarge };
  Kind kind = Kind::kPlain;
  std::string bytes;  // As far as they came.
  std::string why;    // Of what is broken: expected one thing, found another.
};

// Nothing: a filter is among them that is not known here.
std::optional<Unfiltered> Unfilter(std::string bytes, const std::vector<std::string>& filters, Report& report);

}  // namespace reprise::backup
