// What bytes look like, where no format says what they must be. Says "random" only where random bytes would say so
// nearly always and text, code or images nearly never. Well-compressed data looks random too: this never accuses by
// itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/source.h"

namespace reprise::backup {

// Chi-square of the byte values against the even distribution (255 degrees of freedom: 255 ± 22.6 for random bytes).
double ChiSquare(std::string_view bytes);
// Correlation of each byte with the next; about ± 1/√n for random bytes.
double SerialCorrelation(std::string_view bytes);

enum class Look { kZero, kText, kRandom, kOther };
inline constexpr size_t kWindow = 4096;
// REQUIRES: at least 512 bytes for kRandom to be said.
Look LookOf(std::string_view window);

// The same question of fewer bytes than LookOf wants: nearly as many different ones as random bytes have. Says false of fewer
// than 24, and of 512 and more.
bool LooksLikeShortNoise(std::string_view bytes);

// A survey of a content, window by window.
struct Survey {
  std::array<uint64_t, 4> windows{};  // By Look.
  uint64_t first_random = 0;          // Offset of the first window that looks random.
  uint64_t random_cells = 0;          // Cells of 16 bytes in text that can be no text.
  uint64_t first_random_cell = 0;
  uint64_t text_cells = 0;
  bool head_random = false;
  bool tail_random = false;
  // Every second (third, …) run of 16 bytes is random while the others are not.
  bool striped = false;

  uint64_t Of(Look look) const { return windows[static_cast<size_t>(look)]; }
  uint64_t All() const { return windows[0] + windows[1] + windows[2] + windows[3]; }
  // "3 of 40 windows of 4 KiB look random, 2 are zero"
  std::string Text() const;
};

// REQUIRES: settled.
Survey SurveyOf(Source& source);

// Whether bytes at some phase of a period of 16-byte cells are random while those of other phases are not, as
// intermittent encryption leaves them. Wants 64 KiB to be sure; says false of less than 16 KiB.
bool LooksStriped(std::string_view bytes);

}  // namespace reprise::backup
