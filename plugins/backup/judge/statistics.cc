#include "plugins/backup/judge/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

using Histogram = std::array<uint32_t, 256>;

void Count(std::string_view bytes, Histogram& counts) {
  // Four at once: equal bytes behind each other would wait for the same counter.
  Histogram other[3] = {};
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    ++counts[static_cast<unsigned char>(bytes[i])];
    for (size_t k = 0; k < 3; ++k) ++other[k][static_cast<unsigned char>(bytes[i + k + 1])];
  }
  for (; i < bytes.size(); ++i) ++counts[static_cast<unsigned char>(bytes[i])];
  for (size_t value = 0; value < counts.size(); ++value)
    counts[value] += other[0][value] + other[1][value] + other[2][value];
}

double ChiSquareOf(const Histogram& counts, double size) {
  const double even = size / 256;
  double sum = 0;
  for (const uint32_t count : counts) sum += (count - even) * (count - even) / even;
  return sum;
}

// Four standard deviations on both sides: random bytes stay inside 9,999 times of 10,000.
bool IsEven(double chi_square) {
  return chi_square > 165 && chi_square < 355;
}

constexpr size_t kCell = 16;
constexpr size_t kStripeSample = 1 << 20;

// Text of one byte a character, or UTF-8: what 16 random bytes are not.
bool CellIsNoText(std::string_view cell) {
  unsigned controls = 0, high = 0, any = 0;
  for (const char c : cell) {
    const auto byte = static_cast<unsigned char>(c);
    any |= byte;
    high += byte >> 7;
    controls += IsTextByte(byte) ? 0 : 1;
  }
  return any != 0 && controls >= 1 && controls + high >= 6;
}

}  // namespace

double ChiSquare(std::string_view bytes) {
  Histogram counts{};
  Count(bytes, counts);
  return ChiSquareOf(counts, static_cast<double>(bytes.size()));
}

double SerialCorrelation(std::string_view bytes) {
  const auto n = static_cast<double>(bytes.size());
  uint64_t total = 0, squares = 0, products = 0;
  uint64_t here = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.back());
  for (const char byte : bytes) {
    const uint64_t next = static_cast<unsigned char>(byte);
    total += next;
    squares += next * next;
    products += here * next;
    here = next;
  }
  const auto sum = static_cast<double>(total);
  const double divisor = n * static_cast<double>(squares) - sum * sum;
  return divisor == 0 ? 1 : (n * static_cast<double>(products) - sum * sum) / divisor;
}

Look LookOf(std::string_view window) {
  if (window.find_first_not_of('\0') == std::string_view::npos) return Look::kZero;
  Histogram counts{};
  Count(window, counts);
  uint32_t text = 0;
  for (size_t byte = 0; byte < 128; ++byte) {
    if (IsTextByte(static_cast<unsigned char>(byte))) text += counts[byte];
  }
  if (text * 100.0 >= window.size() * 90.0) return Look::kText;
  if (window.size() < 512) return Look::kOther;
  const auto size = static_cast<double>(window.size());
  // Short windows: fewer than five a value; the bounds stay, the distribution is only wider above.
  if (!IsEven(ChiSquareOf(counts, size))) return Look::kOther;
  return std::abs(SerialCorrelation(window)) < 4 / std::sqrt(size) ? Look::kRandom : Look::kOther;
}

bool LooksStriped(std::string_view bytes) {
  const size_t cells = bytes.size() / kCell;
  if (bytes.size() < (16 << 10)) return false;
  for (const size_t period : {2, 3, 4, 5, 6, 8}) {
    std::vector<Histogram> phases(period, Histogram{});
    for (size_t i = 0; i < cells; ++i) Count(bytes.substr(i * kCell, kCell), phases[i % period]);
    size_t even = 0;
    size_t far = 0;
    const double size = static_cast<double>(cells / period * kCell);
    if (size < 2048) break;
    for (const Histogram& phase : phases) {
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
  std::string piece(kWindow * 64, '\0');
  uint64_t at = 0;
  Look last = Look::kOther;
  while (const size_t got = source.Read(at, piece.data(), piece.size())) {
    const std::string_view bytes(piece.data(), got);
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
      for (size_t cell = 0; cell + kCell <= window.size(); cell += kCell) {
        if (CellIsNoText(window.substr(cell, kCell))) {
          if (survey.random_cells++ == 0) survey.first_random_cell = at + i + cell;
        } else {
          ++survey.text_cells;
        }
      }
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
