#include "plugins/backup/judge/bulk.h"

#include <bit>

#ifdef __x86_64__
#include <immintrin.h>
#define REPRISE_WIDE [[gnu::target("avx2,popcnt,bmi")]] inline
#endif

namespace reprise::backup {
namespace {

constexpr size_t kCell = 16;

constexpr std::string_view kWesternLetters =
    "\xe0\xe2\xe4\xe6\xe7\xe8\xe9\xea\xeb\xee\xef\xf4\xf6\xf9\xfb\xfc\xff\xc0\xc2\xc4\xc6\xc7\xc8\xc9\xca\xcb\xce\xcf"
    "\xd4\xd6\xd9\xdb"
    "\xdc\xdf\xe1\xed\xf1\xf3\xfa\xa0\xa3\xa7\xa9\xab\xae\xb0\xb2\xb5\xb7\xbb\xbf\x80\x85\x8c\x91\x92\x93\x94\x95\x96"
    "\x97\x99\x9c"
    "\xc1\xc3\xc5\xcc\xcd\xd0\xd1\xd2\xd3\xd5\xd8\xda\xdd\xde\xe3\xe5\xec\xf0\xf2\xf5\xf8\xfd\xfe";  // Iberian, Nordic.

constexpr std::array<bool, 256> kIsLetter = [] {
  std::array<bool, 256> letters{};
  for (const char letter : kWesternLetters) letters[static_cast<unsigned char>(letter)] = true;
  return letters;
}();

bool IsOddCell(const char* cell) {
  unsigned controls = 0, high = 0, any = 0;
  for (size_t i = 0; i < kCell; ++i) {
    const auto byte = static_cast<unsigned char>(cell[i]);
    any |= byte;
    high += byte >> 7;
    controls += IsTextByte(byte) ? 0 : 1;
  }
  return any != 0 && controls >= 1 && controls + high >= 6;
}

#ifdef __x86_64__

const bool kWide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");

// Sixteen bytes, for both halves of a register: a class of bytes by their upper and lower four bits.
using Table = std::array<uint8_t, 16>;

// 1: a control character 0x0?, 2: 0x1?, 4: 0x7f.
constexpr Table kControlUpper = {1, 2, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr Table kControlLower = [] {
  Table table{};
  for (unsigned low = 0; low < 16; ++low) {
    table[low] = static_cast<uint8_t>((IsTextByte(static_cast<unsigned char>(low)) ? 0 : 1) |
                                      (IsTextByte(static_cast<unsigned char>(16 + low)) ? 0 : 2) | (low == 15 ? 4 : 0));
  }
  return table;
}();
// One bit for each upper half from 8 on.
constexpr Table kLetterUpper = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128};
constexpr Table kLetterLower = [] {
  Table table{};
  for (unsigned byte = 0x80; byte < 256; ++byte) {
    if (kIsLetter[byte]) table[byte & 15] = static_cast<uint8_t>(table[byte & 15] | kLetterUpper[byte >> 4]);
  }
  return table;
}();

// UTF-8 by pairs of bytes (J. Keiser, D. Lemire, "Validating UTF-8 in less than one instruction per byte"): each bit is one thing
// that a pair can do wrong, and the tables say to which of them its three halves could belong.
constexpr uint8_t kTooShort = 1, kTooLong = 2, kOverlong3 = 4, kTooLarge = 8, kSurrogate = 16, kOverlong2 = 32, kTooLarge1000 = 64,
                  kOverlong4 = 64, kTwoConts = 128, kCarry = kTooShort | kTooLong | kTwoConts;
constexpr Table kFirstUpper = {kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
                               kTwoConts, kTwoConts, kTwoConts, kTwoConts, kTooShort | kOverlong2, kTooShort,
                               kTooShort | kOverlong3 | kSurrogate, kTooShort | kTooLarge | kTooLarge1000 | kOverlong4};
constexpr Table kFirstLower = [] {
  Table table{};
  table.fill(kCarry | kTooLarge | kTooLarge1000);
  table[0] = kCarry | kOverlong3 | kOverlong2 | kOverlong4;
  table[1] = kCarry | kOverlong2;
  table[2] = table[3] = kCarry;
  table[4] = kCarry | kTooLarge;
  table[13] |= kSurrogate;
  return table;
}();
constexpr Table kSecondUpper = [] {
  Table table{};
  table.fill(kTooShort);
  constexpr uint8_t kAny = kTooLong | kOverlong2 | kTwoConts;
  table[8] = kAny | kOverlong3 | kTooLarge1000 | kOverlong4;
  table[9] = kAny | kOverlong3 | kTooLarge;
  table[10] = table[11] = kAny | kSurrogate | kTooLarge;
  return table;
}();

REPRISE_WIDE __m256i LoadWide(const char* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
REPRISE_WIDE __m256i TableWide(const Table& table) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}
REPRISE_WIDE __m256i UpperWide(__m256i bytes) { return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15)); }
REPRISE_WIDE unsigned MaskWide(__m256i bytes) { return static_cast<unsigned>(_mm256_movemask_epi8(bytes)); }
REPRISE_WIDE unsigned ZeroWide(__m256i bytes) { return MaskWide(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())); }
// Not zero where there is a control character: above 0x7f the table answers with zero by itself.
REPRISE_WIDE __m256i ControlsWide(__m256i bytes, __m256i lower, __m256i upper) {
  return _mm256_and_si256(_mm256_shuffle_epi8(lower, bytes), _mm256_shuffle_epi8(upper, UpperWide(bytes)));
}
REPRISE_WIDE uint64_t SumWide(__m256i four) {
  alignas(32) uint64_t parts[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts), four);
  return parts[0] + parts[1] + parts[2] + parts[3];
}
// The bytes before these: `count` of them from the end of what came before.
template <int count>
REPRISE_WIDE __m256i BeforeWide(__m256i bytes, __m256i last) {
  return _mm256_alignr_epi8(bytes, _mm256_permute2x128_si256(last, bytes, 0x21), 16 - count);
}

REPRISE_WIDE size_t CountTextWide(std::string_view bytes, TextCounts& counts) {
  const __m256i lower = TableWide(kControlLower), upper = TableWide(kControlUpper);
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    const __m256i piece = LoadWide(bytes.data() + i);
    const unsigned fine = ZeroWide(ControlsWide(piece, lower, upper));
    counts.controls += 32 - static_cast<size_t>(_mm_popcnt_u32(fine));
    counts.plain += static_cast<size_t>(_mm_popcnt_u32(fine & ~MaskWide(piece)));
  }
  return i;
}

// False: it is none.
template <bool kCounting>
REPRISE_WIDE bool CountUtf8Wide(std::string_view bytes, Utf8Counts& counts) {
  // The last bytes, with at least one space behind them: a character that is not whole shows.
  std::array<char, 32> end;
  end.fill(' ');
  const size_t most = bytes.size() / 32 * 32;
  std::memcpy(end.data(), bytes.data() + most, bytes.size() - most);
  const __m256i control_lower = TableWide(kControlLower), control_upper = TableWide(kControlUpper);
  const __m256i letter_lower = TableWide(kLetterLower), letter_upper = TableWide(kLetterUpper);
  const __m256i first_lower = TableWide(kFirstLower), first_upper = TableWide(kFirstUpper), second_upper = TableWide(kSecondUpper);
  const __m256i fifteen = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  __m256i last = zero, wrong = zero;
  bool last_high = false;
  for (size_t i = 0; i <= most; i += 32) {
    const __m256i piece = LoadWide(i < most ? bytes.data() + i : end.data());
    const unsigned high = MaskWide(piece);
    wrong = _mm256_or_si256(wrong, ControlsWide(piece, control_lower, control_upper));
    if (high != 0 || last_high) {
      const __m256i before = BeforeWide<1>(piece, last);
      const __m256i pairs = _mm256_and_si256(
          _mm256_and_si256(_mm256_shuffle_epi8(first_upper, UpperWide(before)),
                           _mm256_shuffle_epi8(first_lower, _mm256_and_si256(before, fifteen))),
          _mm256_shuffle_epi8(second_upper, UpperWide(piece)));
      // Third and fourth bytes: exactly there two continuations follow each other.
      const __m256i third = _mm256_subs_epu8(BeforeWide<2>(piece, last), _mm256_set1_epi8(static_cast<char>(0xe0 - 0x80)));
      const __m256i fourth = _mm256_subs_epu8(BeforeWide<3>(piece, last), _mm256_set1_epi8(static_cast<char>(0xf0 - 0x80)));
      const __m256i must = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(static_cast<char>(0x80)));
      wrong = _mm256_or_si256(wrong, _mm256_xor_si256(must, pairs));
      if constexpr (kCounting) {
        // Leads are the bytes from 0xc0 on; as signed numbers those from -64 to -1.
        const unsigned leads = MaskWide(_mm256_cmpgt_epi8(piece, _mm256_set1_epi8(-65))) & high;
        const unsigned others = ZeroWide(_mm256_and_si256(_mm256_shuffle_epi8(letter_lower, _mm256_and_si256(piece, fifteen)),
                                                          _mm256_shuffle_epi8(letter_upper, UpperWide(piece))));
        counts.characters += static_cast<unsigned>(_mm_popcnt_u32(leads));
        counts.high += static_cast<unsigned>(_mm_popcnt_u32(high));
        counts.letters += 32 - static_cast<unsigned>(_mm_popcnt_u32(others));
      }
    }
    last = piece;
    last_high = high != 0;
    if (i % 1024 == 0 && !_mm256_testz_si256(wrong, wrong)) return false;
  }
  return _mm256_testz_si256(wrong, wrong) != 0;
}

// By what stands in it: a bit for each byte.
REPRISE_WIDE bool IsOddCellWide(unsigned controls, unsigned high, unsigned zero) {
  return controls != 0 && zero != 0xffff && _mm_popcnt_u32(controls | high) >= 6;
}

REPRISE_WIDE Cells NoTextCellsWide(std::string_view bytes) {
  const __m256i lower = TableWide(kControlLower), upper = TableWide(kControlUpper);
  Cells cells;
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    const __m256i piece = LoadWide(bytes.data() + i);
    const unsigned controls = ~ZeroWide(ControlsWide(piece, lower, upper));
    if (controls == 0) continue;
    const unsigned high = MaskWide(piece), zero = ZeroWide(piece);
    if (IsOddCellWide(controls & 0xffff, high & 0xffff, zero & 0xffff) && cells.odd++ == 0) cells.first = i;
    if (IsOddCellWide(controls >> 16, high >> 16, zero >> 16) && cells.odd++ == 0) cells.first = i + kCell;
  }
  if (i + kCell <= bytes.size() && IsOddCell(bytes.data() + i) && cells.odd++ == 0) cells.first = i;
  return cells;
}

REPRISE_WIDE size_t SumsWide(std::string_view bytes, Sums& sums) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i each = zero, squares = zero, products = zero;  // 32 bits each: 1024 steps of at most 4 * 255² fit.
  size_t i = 0;
  for (; i + 33 <= bytes.size(); i += 32) {
    const __m256i here = LoadWide(bytes.data() + i), next = LoadWide(bytes.data() + i + 1);
    const __m256i low = _mm256_unpacklo_epi8(here, zero), high = _mm256_unpackhi_epi8(here, zero);
    each = _mm256_add_epi64(each, _mm256_sad_epu8(here, zero));
    squares = _mm256_add_epi32(squares, _mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high)));
    products = _mm256_add_epi32(products, _mm256_add_epi32(_mm256_madd_epi16(low, _mm256_unpacklo_epi8(next, zero)),
                                                           _mm256_madd_epi16(high, _mm256_unpackhi_epi8(next, zero))));
  }
  const __m256i low32 = _mm256_set1_epi64x(0xffffffff);
  sums.bytes += SumWide(each);
  sums.squares += SumWide(_mm256_add_epi64(_mm256_and_si256(squares, low32), _mm256_srli_epi64(squares, 32)));
  sums.products += SumWide(_mm256_add_epi64(_mm256_and_si256(products, low32), _mm256_srli_epi64(products, 32)));
  return i;
}

REPRISE_WIDE __m256i KindsWide(const char* at, __m256i upper, __m256i lower) {
  const __m256i piece = LoadWide(at);
  return _mm256_and_si256(_mm256_shuffle_epi8(lower, _mm256_and_si256(piece, _mm256_set1_epi8(15))),
                          _mm256_shuffle_epi8(upper, UpperWide(piece)));
}

REPRISE_WIDE size_t FindTripleWide(std::string_view text, size_t at, const std::array<Table, 3>& upper,
                                   const std::array<Table, 3>& lower, unsigned& kinds) {
  const __m256i upper0 = TableWide(upper[0]), upper1 = TableWide(upper[1]), upper2 = TableWide(upper[2]);
  const __m256i lower0 = TableWide(lower[0]), lower1 = TableWide(lower[1]), lower2 = TableWide(lower[2]);
  for (; at + 34 <= text.size(); at += 32) {
    const char* const here = text.data() + at;
    const __m256i all = _mm256_and_si256(KindsWide(here, upper0, lower0),
                                         _mm256_and_si256(KindsWide(here + 1, upper1, lower1), KindsWide(here + 2, upper2, lower2)));
    if (_mm256_testz_si256(all, all) != 0) continue;
    const auto found = static_cast<size_t>(std::countr_zero(~ZeroWide(all)));
    alignas(32) uint8_t each[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(each), all);
    kinds = each[found];
    return at + found;
  }
  kinds = 0;
  return at;
}

#endif  // __x86_64__

}  // namespace

void Triples::Add(unsigned kind, std::string_view letters) {
  const auto bit = static_cast<uint8_t>(1U << kind);
  for (size_t i = 0; i < 3; ++i) {
    const auto byte = static_cast<unsigned char>(letters[i]);
    const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    lower_[i][byte & 15] = static_cast<uint8_t>(lower_[i][byte & 15] | bit);
    for (const unsigned other : {unsigned{byte}, letter ? byte ^ 0x20U : byte}) {
      upper_[i][other >> 4] = static_cast<uint8_t>(upper_[i][other >> 4] | bit);
    }
  }
}

size_t Triples::Find(std::string_view text, size_t at, unsigned& kinds) const {
#ifdef __x86_64__
  if (kWide) {
    at = FindTripleWide(text, at, upper_, lower_, kinds);
    if (kinds != 0) return at;
  }
#endif
  for (; at + 3 <= text.size(); ++at) {
    kinds = 0xff;
    for (size_t i = 0; i < 3; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      kinds &= static_cast<unsigned>(upper_[i][byte >> 4]) & lower_[i][byte & 15];
    }
    if (kinds != 0) return at;
  }
  return std::string_view::npos;
}

TextCounts CountText(std::string_view bytes) {
  TextCounts counts;
  size_t i = 0;
#ifdef __x86_64__
  if (kWide) i = CountTextWide(bytes, counts);
#endif
#ifdef __SSE2__
  for (; i + 16 <= bytes.size(); i += 16) {
    const __m128i piece = bulk_internal::Load(bytes.data() + i);
    const unsigned odd = static_cast<unsigned>(_mm_movemask_epi8(bulk_internal::Controls(piece)));
    counts.controls += static_cast<unsigned>(std::popcount(odd));
    counts.plain += 16 - static_cast<unsigned>(std::popcount(odd | static_cast<unsigned>(_mm_movemask_epi8(piece))));
  }
#endif
  for (; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    counts.controls += IsTextByte(byte) ? 0 : 1;
    counts.plain += byte < 0x80 && IsTextByte(byte) ? 1 : 0;
  }
  return counts;
}

bool IsWesternLetter(unsigned char byte) { return kIsLetter[byte]; }

std::optional<Utf8Counts> CountUtf8(std::string_view bytes) {
#ifdef __x86_64__
  Utf8Counts counts;
  if (kWide && CountUtf8Wide<true>(bytes, counts)) return counts;
#else
  static_cast<void>(bytes);
#endif
  return std::nullopt;
}

bool IsCleanUtf8(std::string_view bytes) {
#ifdef __x86_64__
  Utf8Counts none;
  return kWide && CountUtf8Wide<false>(bytes, none);
#else
  static_cast<void>(bytes);
  return false;
#endif
}

Cells NoTextCells(std::string_view bytes) {
#ifdef __x86_64__
  if (kWide) return NoTextCellsWide(bytes);
#endif
  Cells cells;
  for (size_t i = 0; i + kCell <= bytes.size(); i += kCell) {
    if (IsOddCell(bytes.data() + i) && cells.odd++ == 0) cells.first = i;
  }
  return cells;
}

Sums SumsOf(std::string_view bytes) {
  Sums sums;
  size_t i = 0;
#ifdef __x86_64__
  if (kWide) i = SumsWide(bytes, sums);
#endif
  for (; i < bytes.size(); ++i) {
    const uint64_t byte = static_cast<unsigned char>(bytes[i]);
    sums.bytes += byte;
    sums.squares += byte * byte;
    if (i + 1 < bytes.size()) sums.products += byte * static_cast<unsigned char>(bytes[i + 1]);
  }
  return sums;
}

}  // namespace reprise::backup
