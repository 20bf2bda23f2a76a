// Quick answers about many bytes are those that going through them one by one gives.
#include "plugins/backup/judge/bulk.h"

#include <gtest/gtest.h>

#include "plugins/backup/judge/names.h"
#include "tests/unit/plugins/backup/bytes.h"

namespace reprise::backup {
namespace {

using testing::Prose;
using testing::RandomBytes;

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

// RFC 3629, section 4; and no control character.
bool IsUtf8(std::string_view text, Utf8Counts& counts) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = Byte(text[i]);
    const size_t size = first < 0x80 ? 1 : first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3
                                         : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
    if (size == 0 || i + size > text.size() || (size == 1 && !IsTextByte(first))) return false;
    for (size_t k = 1; k < size; ++k) {
      if ((Byte(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const unsigned char second = size > 1 ? Byte(text[i + 1]) : 0;
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    counts.characters += size > 1 ? 1 : 0;
    for (size_t k = 0; k < size && size > 1; ++k, ++counts.high) counts.letters += IsWesternLetter(Byte(text[i + k])) ? 1 : 0;
    i += size;
  }
  return true;
}

// Text with a few other bytes in it.
std::string Mixed(unsigned seed, size_t size) {
  static const std::string kPieces[] = {"a", "relève ", "\xf0\x9f\x92\x8a", "\xe2\x82\xac", "\n", "0123456789", "\x7f", "\xed\xa0\x80",
                                        "\xc3", "\xe9", std::string(1, '\0'), "\xf4\x90\x80\x80", "\xe0\x80\x80", "\x1b"};
  std::mt19937 generator(seed);
  const size_t kinds = seed % 3 == 0 ? std::size(kPieces) : 6;  // Two of three are sound.
  std::string text;
  while (text.size() < size) text += kPieces[generator() % kinds];
  return text.substr(0, size);
}

TEST(Bulk, TextInUtf8IsCountedAsOneByOneAndNothingElseIsTakenForIt) {
  int sound = 0, refused = 0;
  for (unsigned seed = 0; seed < 3'000; ++seed) {
    const std::string text = Mixed(seed, seed % 211);
    Utf8Counts wanted;
    const bool is = IsUtf8(text, wanted);
    const auto counts = CountUtf8(text);
    EXPECT_EQ(IsCleanUtf8(text), counts.has_value()) << seed;
    if (!counts) {
      // A processor that cannot tell quickly says nothing of any text.
      if (is) {
        EXPECT_FALSE(CountUtf8("plain").has_value()) << seed;
      }
      ++refused;
      continue;
    }
    ++sound;
    ASSERT_TRUE(is) << seed;
    EXPECT_EQ(counts->characters, wanted.characters) << seed;
    EXPECT_EQ(counts->high, wanted.high) << seed;
    EXPECT_EQ(counts->letters, wanted.letters) << seed;
  }
  EXPECT_GT(refused, 500);
  if (CountUtf8("plain")) {
    EXPECT_GT(sound, 500);
  }
}

TEST(Bulk, EveryPairOfBytesIsJudgedAtEveryPlace) {
  if (!CountUtf8("plain")) GTEST_SKIP() << "this processor does it one by one";
  for (const size_t at : {0, 15, 29, 30, 31, 32, 62}) {
    for (unsigned pair = 0; pair < 65'536; ++pair) {
      std::string text(64, 'x');
      text[at] = static_cast<char>(pair >> 8);
      text[at + 1] = static_cast<char>(pair);
      Utf8Counts wanted;
      ASSERT_EQ(CountUtf8(text).has_value(), IsUtf8(text, wanted)) << pair << " at " << at;
      ASSERT_EQ(IsCleanUtf8(text), CountUtf8(text).has_value()) << pair << " at " << at;
    }
  }
}

TEST(Bulk, LettersControlsAndSumsAreThoseOfEachByte) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const std::string bytes = seed % 2 == 0 ? RandomBytes(seed * 3, seed) : Mixed(seed, seed * 3);
    TextCounts counts;
    Sums sums;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const uint64_t byte = Byte(bytes[i]);
      counts.controls += IsTextByte(Byte(bytes[i])) ? 0 : 1;
      counts.plain += byte < 0x80 && IsTextByte(Byte(bytes[i])) ? 1 : 0;
      sums.bytes += byte;
      sums.squares += byte * byte;
      if (i + 1 < bytes.size()) sums.products += byte * Byte(bytes[i + 1]);
    }
    EXPECT_EQ(CountText(bytes).controls, counts.controls) << seed;
    EXPECT_EQ(CountText(bytes).plain, counts.plain) << seed;
    EXPECT_EQ(SumsOf(bytes).bytes, sums.bytes) << seed;
    EXPECT_EQ(SumsOf(bytes).squares, sums.squares) << seed;
    EXPECT_EQ(SumsOf(bytes).products, sums.products) << seed;
  }
  EXPECT_EQ(SumsOf(std::string(32 << 10, '\xff')).squares, (uint64_t{32} << 10) * 255 * 255);  // Nothing runs over.
}

TEST(Bulk, CellsThatAreNoTextAreCountedOneByOne) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::string bytes = Prose(200 + seed * 5);
    const std::string noise = RandomBytes(bytes.size(), seed);
    for (size_t i = seed % 48; i < bytes.size(); i += 16 + seed % 80) bytes.replace(i, 16, noise, i, 16);
    size_t odd = 0, first = 0;
    for (size_t at = 0; at + 16 <= bytes.size(); at += 16) {
      unsigned controls = 0, others = 0;
      for (size_t i = at; i < at + 16; ++i) {
        controls += IsTextByte(Byte(bytes[i])) ? 0 : 1;
        others += !IsTextByte(Byte(bytes[i])) || Byte(bytes[i]) >= 0x80 ? 1 : 0;
      }
      if (controls > 0 && others >= 6 && odd++ == 0) first = at;
    }
    EXPECT_EQ(NoTextCells(bytes).odd, odd) << seed;
    EXPECT_EQ(NoTextCells(bytes).first, first) << seed;
  }
  EXPECT_EQ(NoTextCells(std::string(64, '\0')).odd, 0U);
}

TEST(Bulk, ThreeLettersAreFoundWhereverTheyStand) {
  Triples triples;
  triples.Add(0, "ypt");
  triples.Add(1, "l y");
  for (size_t at = 0; at < 120; ++at) {
    std::string text(123, '.');
    text.replace(at, 3, at % 2 == 0 ? "yPt" : "L y");
    unsigned kinds = 0;
    ASSERT_EQ(triples.Find(text, 0, kinds), at);
    EXPECT_EQ(kinds, at % 2 == 0 ? 1U : 2U);
    EXPECT_EQ(triples.Find(text, at + 1, kinds), std::string_view::npos);
  }
}

TEST(Bulk, ANoteIsKnownWhereverItsWordsStand) {
  const std::string demand = " pay in bitcoin, contact us for the decryptor.";
  for (const char* deed : {"YOUR FILES are gone", "all is Encrypted, it has been encrypted", "data is stolen", "your network has been",
                           "it has been locked", "Vos fichiers sont pris", "ont été chiffrés", "we have all your"}) {
    for (size_t before = 0; before < 40; ++before) {
      EXPECT_TRUE(IsRansomNote("README.txt", std::string(before, ' ') + deed + demand)) << deed << " behind " << before;
    }
  }
}

}  // namespace
}  // namespace reprise::backup
