#include "plugins/backup/judge/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// Counters that stop at 65,535: nothing that is asked of them changes beyond.
using Histogram = std::array<uint16_t, 256>;

void Add(const Histogram& counts, Histogram& to) {
#ifdef __SSE2__
  for (size_t i = 0; i < counts.size(); i += 8) {
    auto* const at = reinterpret_cast<__m128i*>(to.data() + i);
    _mm_storeu_si128(at, _mm_adds_epu16(_mm_loadu_si128(at), _mm_loadu_si128(reinterpret_cast<const __m128i*>(counts.data() + i))));
  }
#else
  for (size_t value = 0; value < counts.size(); ++value) to[value] = static_cast<uint16_t>(std::min(to[value] + counts[value], 65535));
#endif
}

// REQUIRES: few bytes.
void CountFew(std::string_view bytes, Histogram& counts) {
  for (const char byte : bytes) ++counts[static_cast<unsigned char>(byte)];
}

// REQUIRES: at most 32 KiB.
void Count(std::string_view bytes, Histogram& counts) {
  if (bytes.size() < 512) return CountFew(bytes, counts);
  // Four at once: equal bytes behind each other would wait for the same counter.
  Histogram other[3] = {};
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + i, 8);
    ++counts[eight & 0xff];
    ++other[0][eight >> 8 & 0xff];
    ++other[1][eight >> 16 & 0xff];
    ++other[2][eight >> 24 & 0xff];
    ++counts[eight >> 32 & 0xff];
    ++other[0][eight >> 40 & 0xff];
    ++other[1][eight >> 48 & 0xff];
    ++other[2][eight >> 56];
  }
  CountFew(bytes.substr(i), counts);
  for (const Histogram& one : other) Add(one, counts);
}

// The sum of the squares.
uint64_t SquaresOf(const Histogram& counts) {
  uint64_t squares = 0;
  for (const uint64_t count : counts) squares += count * count;
  return squares;
}

// In whole numbers, which is exact and quick: the sum of (count - even)² is that of count² less size² / 256.
double ChiSquareOf(uint64_t squares, double size) { return (static_cast<double>(squares) - size * size / 256) / (size / 256); }
double ChiSquareOf(const Histogram& counts, double size) { return ChiSquareOf(SquaresOf(counts), size); }

// Four standard deviations on both sides: random bytes stay inside 9,999 times of 10,000.
bool IsEven(double chi_square) {
  return chi_square > 165 && chi_square < 355;
}

constexpr size_t kCell = 16;
constexpr size_t kStripeSample = 256 << 10;

// The first quarter of a window is so uneven that the whole is too, whatever follows: three even quarters take its
// chi-square to a quarter, and leave far more than IsEven allows.
constexpr double kQuarterMax = 1100;

}  // namespace

double ChiSquare(std::string_view bytes) {
  std::array<uint64_t, 256> counts{};
  for (const char byte : bytes) ++counts[static_cast<unsigned char>(byte)];
  uint64_t squares = 0;
  for (const uint64_t count : counts) squares += count * count;
  return ChiSquareOf(squares, static_cast<double>(bytes.size()));
}

double SerialCorrelation(std::string_view bytes) {
  const auto n = static_cast<double>(bytes.size());
  Sums all;
  constexpr size_t kStep = 16 << 10;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    const Sums step = SumsOf(bytes.substr(at, kStep));
    all.bytes += step.bytes;
    all.squares += step.squares;
    all.products += step.products;
    // The last of this step with the first of the next; the last of all with the first.
    const size_t next = at + kStep < bytes.size() ? at + kStep : 0;
    const size_t last = std::min(at + kStep, bytes.size()) - 1;
    all.products += uint64_t{static_cast<unsigned char>(bytes[last])} * static_cast<unsigned char>(bytes[next]);
  }
  const auto sum = static_cast<double>(all.bytes);
  const double divisor = n * static_cast<double>(all.squares) - sum * sum;
  return divisor == 0 ? 1 : (n * static_cast<double>(all.products) - sum * sum) / divisor;
}

namespace {

// At least nine letters of ten; stops as soon as it cannot be so any more.
bool IsMostlyPlain(std::string_view window) {
  constexpr size_t kStep = 512;
  size_t odd = 0;
  for (size_t at = 0; at < window.size(); at += kStep) {
    const std::string_view part = window.substr(at, kStep);
    odd += part.size() - CountText(part).plain;
    if (odd * 10 > window.size()) return false;
  }
  return true;
}

}  // namespace

Look LookOf(std::string_view window) {
  if (window.empty()) return Look::kZero;
  if (window.front() == '\0' && window.find_first_not_of('\0') == std::string_view::npos) return Look::kZero;
  if (IsMostlyPlain(window)) return Look::kText;
  if (window.size() < 512) return Look::kOther;
  Histogram counts{};
  const size_t quarter = window.size() / 4;
  if (window.size() == kWindow) {
    Count(window.substr(0, quarter), counts);
    if (ChiSquareOf(counts, static_cast<double>(quarter)) > kQuarterMax) return Look::kOther;
    Count(window.substr(quarter), counts);
  } else {
    Count(window, counts);
  }
  const auto size = static_cast<double>(window.size());
  // Short windows: fewer than five a value; the bounds stay, the distribution is only wider above.
  if (!IsEven(ChiSquareOf(counts, size))) return Look::kOther;
  return std::abs(SerialCorrelation(window)) < 4 / std::sqrt(size) ? Look::kRandom : Look::kOther;
}

bool LooksLikeShortNoise(std::string_view bytes) {
  if (bytes.size() < 24 || bytes.size() >= 512) return false;
  std::array<bool, 256> seen{};
  for (const char byte : bytes) seen[static_cast<unsigned char>(byte)] = true;
  const auto kinds = static_cast<double>(std::count(seen.begin(), seen.end(), true));
  return kinds >= 0.85 * 256 * (1 - std::pow(255.0 / 256, static_cast<double>(bytes.size())));
}

bool LooksStriped(std::string_view bytes) {
  if (bytes.size() < (16 << 10)) return false;
  bytes = bytes.substr(0, kStripeSample);
  const size_t cells = bytes.size() / kCell;
  // Every period divides 120: each cell is counted once, and the phases of a period are sums of those of 120.
  constexpr size_t kAll = 120;
  std::vector<Histogram> all(kAll, Histogram{});
  for (size_t i = 0, phase = 0; i < cells; ++i) {
    CountFew(bytes.substr(i * kCell, kCell), all[phase]);
    if (++phase == kAll) phase = 0;
  }
  // By the period: where that of a multiple is known already, it is short work.
  std::array<std::vector<Histogram>, 9> by;
  for (const size_t period : {8, 6, 5, 4, 3, 2}) {
    const std::vector<Histogram>& from = period == 4 ? by[8] : period <= 3 ? by[6] : all;
    by[period].assign(period, Histogram{});
    for (size_t i = 0; i < from.size(); ++i) Add(from[i], by[period][i % period]);
  }
  for (const size_t period : {2, 3, 4, 5, 6, 8}) {
    size_t even = 0;
    size_t far = 0;
    const double size = static_cast<double>(cells / period * kCell);
    if (size < 2048) break;
    for (const Histogram& phase : by[period]) {
      const double chi_square = ChiSquareOf(phase, size);
      even += IsEven(chi_square) ? 1 : 0;
      far += chi_square > 600 ? 1 : 0;
    }
    if (even > 0 && far > 0 && even + far == period) return true;
  }
  return false;
}

Survey SurveyOf(Source& source) {
  Survey survey;
  std::string sample;
  std::string room;
  uint64_t at = 0;
  Look last = Look::kOther;
  for (;;) {
    // Pieces of the file begin at whole windows; others are asked for as such.
    const std::string_view bytes = source.View(at, kWindow * 64, room);
    const size_t got = bytes.size();
    if (got == 0) break;
    if (sample.size() < kStripeSample) sample.append(bytes);
    for (size_t i = 0; i < got; i += kWindow) {
      const std::string_view window = bytes.substr(i, kWindow);
      // A short last window says little.
      const Look look = window.size() < 512 && at + i > 0 ? last : LookOf(window);
      if (look == Look::kRandom && survey.Of(Look::kRandom) == 0) survey.first_random = at + i;
      if (at + i == 0) survey.head_random = look == Look::kRandom;
      ++survey.windows[static_cast<size_t>(look)];
      last = look;
      if (look == Look::kRandom || look == Look::kZero) {
        if (look == Look::kRandom && survey.random_cells == 0) survey.first_random_cell = at + i;
        (look == Look::kRandom ? survey.random_cells : survey.text_cells) += window.size() / kCell;
        continue;
      }
      const Cells cells = NoTextCells(window);
      if (cells.odd > 0 && survey.random_cells == 0) survey.first_random_cell = at + i + cells.first;
      survey.random_cells += cells.odd;
      survey.text_cells += window.size() / kCell - cells.odd;
    }
    at += got;
  }
  survey.tail_random = last == Look::kRandom;
  survey.striped = LooksStriped(sample);
  return survey;
}

std::string Survey::Text() const {
  return Words(Of(Look::kRandom), " of ", All(), " windows of 4 KiB look random, ", Of(Look::kText), " are text, ",
               Of(Look::kZero), " are zero", striped ? "; every few runs of 16 bytes are random" : "");
}

}  // namespace reprise::backup
