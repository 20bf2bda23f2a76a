// Bytes and times as text, the same way everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"

namespace reprise {

std::string ToHex(std::string_view bytes);
absl::StatusOr<std::string> FromHex(std::string_view hex);

std::string ToBase64(std::string_view bytes);
absl::StatusOr<std::string> FromBase64(std::string_view text);

// "2026-11-24T09:30:00Z" (whole seconds, UTC).
std::string FormatTime(UnixMs time);
absl::StatusOr<UnixMs> ParseTime(std::string_view text);

// "500ms", "90s", "15m", "24h", "7d", or sums of these ("1h30m"). Never negative.
absl::StatusOr<int64_t> ParseDurationMs(std::string_view text);
// The shortest exact form that ParseDurationMs reads back.
std::string FormatDurationMs(int64_t ms);

// The first letter of `text`: how many bytes of UTF-8 it takes, in its shortest form, and its code. Size 0: it is none.
// REQUIRES: `text` is not empty.
struct Letter {
  uint32_t code = 0;
  size_t size = 0;
};
Letter FirstLetter(std::string_view text);

// At most `max` bytes of valid UTF-8: no letter is cut in two, and a stray byte becomes U+FFFD. What is put into a message's
// text is cut by this alone: a text that is not UTF-8 can be written, and never read back.
std::string BoundedText(std::string_view text, size_t max);

// The candidate nearest to `word` by edit distance, if near enough to be a likely slip; else empty.
std::string NearestName(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace reprise
