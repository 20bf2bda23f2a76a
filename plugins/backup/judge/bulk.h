// The same small questions about very many bytes, sixteen at once where the processor can (every x86-64 has SSE2), one by one
// elsewhere; the answers are the same.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace reprise::backup {

// What text of seven or eight bits may have; 0x1b begins the escapes of some encodings.
constexpr bool IsTextByte(unsigned char byte) {
  return (byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f' || byte == 0x1b;
}

namespace bulk_internal {
inline constexpr std::array<uint8_t, 256> kBits = [] {
  std::array<uint8_t, 256> bits{};
  for (unsigned i = 1; i < 256; ++i) bits[i] = static_cast<uint8_t>(bits[i / 2] + i % 2);
  return bits;
}();
inline unsigned Bits16(unsigned mask) { return kBits[mask & 0xff] + kBits[mask >> 8]; }

#ifdef __SSE2__
inline __m128i Load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
// 0xff where there is no text byte.
inline __m128i Controls(__m128i bytes) {
  const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i allowed = _mm_or_si128(_mm_or_si128(_mm_or_si128(is('\n'), is('\r')), _mm_or_si128(is('\t'), is('\f'))), is(0x1b));
  return _mm_or_si128(_mm_andnot_si128(allowed, low), is(0x7f));
}
#endif
}  // namespace bulk_internal

// How many bytes at the front are plain letters: text bytes below 0x80.
inline size_t PlainRun(std::string_view bytes) {
  size_t i = 0;
#ifdef __SSE2__
  for (; i + 16 <= bytes.size(); i += 16) {
    const __m128i piece = bulk_internal::Load(bytes.data() + i);
    const unsigned odd = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(piece, bulk_internal::Controls(piece))));
    if (odd != 0) return i + static_cast<size_t>(__builtin_ctz(odd));
  }
#endif
  while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80 && IsTextByte(static_cast<unsigned char>(bytes[i]))) ++i;
  return i;
}

// How many bytes are plain letters, and how many are no text bytes at all.
struct TextCounts {
  size_t plain = 0;
  size_t controls = 0;
};
inline TextCounts CountText(std::string_view bytes) {
  TextCounts counts;
  size_t i = 0;
#ifdef __SSE2__
  for (; i + 16 <= bytes.size(); i += 16) {
    const __m128i piece = bulk_internal::Load(bytes.data() + i);
    const __m128i controls = bulk_internal::Controls(piece);
    const unsigned odd = static_cast<unsigned>(_mm_movemask_epi8(controls));
    const unsigned not_plain = odd | static_cast<unsigned>(_mm_movemask_epi8(piece));
    counts.controls += odd == 0 ? 0 : bulk_internal::Bits16(odd);
    counts.plain += not_plain == 0 ? 16 : 16 - bulk_internal::Bits16(not_plain);
  }
#endif
  for (; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    counts.controls += IsTextByte(byte) ? 0 : 1;
    counts.plain += byte < 0x80 && IsTextByte(byte) ? 1 : 0;
  }
  return counts;
}

// Whether sixteen bytes can be no text: a control character among at least six bytes that are no plain letters. All zero says
// nothing.
inline bool CellIsNoText(const char* cell) {
#ifdef __SSE2__
  const __m128i piece = bulk_internal::Load(cell);
  const unsigned controls = static_cast<unsigned>(_mm_movemask_epi8(bulk_internal::Controls(piece)));
  if (controls == 0) return false;
  const unsigned high = static_cast<unsigned>(_mm_movemask_epi8(piece));
  if (bulk_internal::Bits16(controls | high) < 6) return false;
  return _mm_movemask_epi8(_mm_cmpeq_epi8(piece, _mm_setzero_si128())) != 0xffff;
#else
  unsigned controls = 0, high = 0, any = 0;
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<unsigned char>(cell[i]);
    any |= byte;
    high += byte >> 7;
    controls += IsTextByte(byte) ? 0 : 1;
  }
  return any != 0 && controls >= 1 && controls + high >= 6;
#endif
}

// The sum over all bytes of the byte times the one behind it. REQUIRES: at most 64 KiB.
inline uint64_t NeighbourProducts(std::string_view bytes) {
  uint64_t sum = 0;
  size_t i = 0;
#ifdef __SSE2__
  const __m128i zero = _mm_setzero_si128();
  __m128i sums = zero;  // Four of 32 bits: 4096 steps of at most 4 * 255² fit.
  for (; i + 17 <= bytes.size(); i += 16) {
    const __m128i here = bulk_internal::Load(bytes.data() + i);
    const __m128i next = bulk_internal::Load(bytes.data() + i + 1);
    sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_unpacklo_epi8(here, zero), _mm_unpacklo_epi8(next, zero)));
    sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_unpackhi_epi8(here, zero), _mm_unpackhi_epi8(next, zero)));
  }
  alignas(16) uint32_t parts[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(parts), sums);
  sum = uint64_t{parts[0]} + parts[1] + parts[2] + parts[3];
#endif
  for (; i + 1 < bytes.size(); ++i) {
    sum += uint64_t{static_cast<unsigned char>(bytes[i])} * static_cast<unsigned char>(bytes[i + 1]);
  }
  return sum;
}

// Whether any of the 16-bit words, as they lie in memory, has a bit of `mask` (likewise). An odd last byte is left out.
inline bool AnyBits(std::string_view words, const std::array<unsigned char, 2>& mask) {
  const uint64_t two = uint64_t{mask[0]} | uint64_t{mask[1]} << 8;  // By memory: see the copy below.
  const uint64_t eight = two | two << 16 | two << 32 | two << 48;
  uint64_t any = 0;
  size_t i = 0;
  for (; i + 8 <= words.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, words.data() + i, 8);
    any |= word;
  }
  bool found = (any & eight) != 0;
  for (; i + 2 <= words.size(); i += 2) {
    found = found || (static_cast<unsigned char>(words[i]) & mask[0]) != 0 || (static_cast<unsigned char>(words[i + 1]) & mask[1]) != 0;
  }
  return found;
}

}  // namespace reprise::backup
