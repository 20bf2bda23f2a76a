// The same small questions about very many bytes: thirty-two at once where the processor can (AVX2), sixteen where it is an
// x86-64 at all (SSE2), one by one elsewhere; the answers are the same.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
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
TextCounts CountText(std::string_view bytes);

// What a text in UTF-8 has, where it is one from its first byte to its last, without any control character.
struct Utf8Counts {
  uint64_t characters = 0;  // Of more than one byte.
  uint64_t high = 0;        // Bytes from 0x80 on.
  uint64_t letters = 0;     // Those of them that are letters in Western European text of one byte a character.
};
// Nothing: it is none, or this processor cannot tell it quickly.
std::optional<Utf8Counts> CountUtf8(std::string_view bytes);
// True exactly where CountUtf8 has counts, in less time.
bool IsCleanUtf8(std::string_view bytes);
// Of text of one byte a character: accented letters of French, German, Spanish, and the usual signs, in ISO 8859-1 and Windows-1252.
bool IsWesternLetter(unsigned char byte);

// Of cells of sixteen bytes: those that can be no text, which have a control character among at least six bytes that are no plain
// letters. All zero says nothing. What is left behind the last whole cell is left out.
struct Cells {
  size_t odd = 0;
  size_t first = 0;  // Where the first of them begins.
};
Cells NoTextCells(std::string_view bytes);

// Up to eight kinds of three letters, to be found in a text quickly, capital or small. Each bit of a byte is one kind.
class Triples {
 public:
  // REQUIRES: kind < 8; three letters. A kind may have several.
  void Add(unsigned kind, std::string_view letters);
  // Where the next of them may stand, from `at` on, and of which kinds; npos: nowhere. May see some where none is, and never misses
  // one.
  size_t Find(std::string_view text, size_t at, unsigned& kinds) const;

 private:
  // Of each letter: which kinds have one like it there, by its upper and by its lower four bits.
  std::array<std::array<uint8_t, 16>, 3> upper_{}, lower_{};
};

// Sums over all bytes: of each, of its square, and of its product with the one behind it (without the last). REQUIRES: at most
// 32 KiB.
struct Sums {
  uint64_t bytes = 0;
  uint64_t squares = 0;
  uint64_t products = 0;
};
Sums SumsOf(std::string_view bytes);

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
