// What is compressed, and what is in it: every bit of such a file counts.
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/backup/formats/examined.h"

namespace reprise::backup::testing {
namespace {

std::string Gzip(const std::string& text, int window_bits = 31) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string TarMember(const std::string& name, const std::string& content) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[13];
  std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(content.size()));
  header.replace(124, 11, size);
  header.replace(156, 1, "0");
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(size, sizeof size, "%06o", sum);
  header.replace(148, 6, size);
  header[154] = '\0';
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string Tar(const std::string& name, const std::string& content) {
  return TarMember(name, content) + std::string(1024, '\0');
}

TEST(Gzip, IsCheckedWhole) {
  EXPECT_EQ(Told(Examined("x.txt.gz", Gzip(Prose(50'000)))), "checked");
}

// Also of the header, and of the bits behind the end of the data.
TEST(Gzip, IsNotCheckedWholeAfterOneChangedBitAnywhere) {
  const std::string sound = Gzip(Prose(3'000));
  for (size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string changed = sound;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(Told(Examined("x.txt.gz", changed)), "checked") << "bit " << bit;
  }
}

TEST(Gzip, PaddedToWholeBlocksOfATapeIsSound) {
  EXPECT_EQ(Told(Examined("x.txt.gz", Gzip(Prose(3'000)) + std::string(512, '\0'))), "checked");
  EXPECT_EQ(Told(Examined("x.txt.gz", Gzip(Prose(3'000)) + std::string(512, '\0') + "x")), "damaged");
}

// Cut between two parts, the rest is as whole as it was.
TEST(Gzip, OfSeveralPartsEndsForSureOnlyWhereItsContentSaysSo) {
  const std::string text = Prose(3'000), tar = Tar("a.txt", text);
  EXPECT_EQ(Told(Examined("x.txt.gz", Gzip(text) + Gzip(text))), "sound");
  EXPECT_EQ(Told(Examined("x.tar.gz", Gzip(tar.substr(0, 700)) + Gzip(tar.substr(700)))), "checked");
}

TEST(Gzip, ContentOfNoKnownFormatIsAsItWasWrittenAndNotProvenSound) {
  std::string program;
  for (int i = 0; i < 9'000; ++i) program += static_cast<char>(i * i / 7);
  EXPECT_EQ(Told(Examined("x.gz", Gzip(program))), "sound");
  EXPECT_EQ(Told(Examined("x.gz", Gzip(RandomBytes(200)))), "undecided");
  EXPECT_EQ(Told(Examined("x.tar.gz", Gzip(Tar("bin/x", program)))), "sound");
}

TEST(Gzip, WhatIsNoGoodXmlInsideWasWrittenSo) {
  EXPECT_EQ(Told(Examined("x.xml.gz", Gzip("<?xml version=\"1.0\"?>\n#set($a)\n<a/>\n"))), "undecided");
  EXPECT_EQ(Told(Examined("x.xml", "<?xml version=\"1.0\"?>\n#set($a)\n<a/>\n")), "damaged");
  EXPECT_EQ(Told(Examined("x.tar.gz", Gzip(Tar("empty.sqlite", "")))), "undecided");
}

TEST(Zstd, ThatBeginsWithWhatIsForOtherProgramsIsKnown) {
  std::string skipped("\x50\x2a\x4d\x18\4\0\0\0abcd", 12);
  const size_t size = ZSTD_compressBound(9);
  std::string frame(size, '\0');
  frame.resize(ZSTD_compress(frame.data(), size, "Bonjour.\n", 9, 3));
  EXPECT_EQ(Told(Examined("x.txt.zst", skipped + frame)), "sound");
}

// The first four bytes, the level and the window's size: 2 GiB.
TEST(Zstd, OfALargerWindowThanIsGivenIsNotAccused) {
  const std::string text = Prose(3'000);
  const std::string head("\x28\xb5\x2f\xfd\x04\xa8", 6);
  EXPECT_EQ(Told(Examined("x.txt.zst", head + text)), "undecided");
}

TEST(Tar, FoldersOfIncrementalBackupsHaveAListOfNames) {
  std::string folder = TarMember("d/", std::string("Ya.txt\0\0", 8));
  folder[156] = 'D';
  unsigned sum = 0;
  folder.replace(148, 8, 8, ' ');
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(folder[i]);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  folder.replace(148, 7, digits, 7);
  EXPECT_EQ(Told(Examined("x.tar", folder + Tar("d/a.txt", "Bonjour.\n"))), "sound");
}

TEST(Gzip, IsTruncatedAtEveryPlaceBeforeItsEnd) {
  const std::string sound = Gzip(Prose(3'000));
  for (size_t size = 20; size < sound.size(); size += 7)
    EXPECT_EQ(Told(Examined("x.gz", sound.substr(0, size))), "truncated") << size;
}

TEST(Gzip, WhatStandsBehindItIsDamage) {
  EXPECT_EQ(Told(Examined("x.gz", Gzip(Prose(3'000)) + "footer")), "damaged");
  EXPECT_EQ(Told(Examined("x.gz", Gzip(Prose(3'000)) + Gzip(Prose(500)))), "sound");  // Two of them are one.
}

TEST(Gzip, SaysThatItsContentWasEncryptedBeforeItWasPacked) {
  EXPECT_EQ(Told(Examined("x.csv.gz", Gzip(RandomBytes(20'000)))), "encrypted");
  EXPECT_EQ(Told(Examined("x.bin.gz", Gzip(RandomBytes(20'000)))), "undecided");
}

TEST(Gzip, ABombIsLeftAlone) {
  const std::string bomb = Gzip(std::string(8 << 20, '\0'));
  EXPECT_EQ(Told(Examined("x.bin.gz", bomb, {.depth_max = 6, .unpacked_base = 1 << 20, .unpacked_factor = 1})),
            "undecided");
}

TEST(Archives, InEachOtherAreOpenedOnlySoDeep) {
  std::string doll = Prose(1'000);
  for (int i = 0; i < 12; ++i) doll = Gzip(doll);
  EXPECT_EQ(Told(Examined("doll.gz", doll)), "undecided");
}

TEST(Tar, ContentHasNoChecksumUnlessItBringsOne) {
  EXPECT_EQ(Told(Examined("x.tar", Tar("a.txt", Prose(2'000)))), "sound");
  EXPECT_EQ(Told(Examined("x.tar", Tar("a.txt.gz", Gzip(Prose(2'000))))), "checked");
  EXPECT_EQ(Told(Examined("x.tar.gz", Gzip(Tar("a.txt", Prose(2'000))))), "checked");
}

TEST(Tar, EndsWithTwoZeroBlocksAndNothingElse) {
  const std::string member = TarMember("a.txt", Prose(2'000));
  EXPECT_EQ(Told(Examined("x.tar", member)), "truncated");
  EXPECT_EQ(Told(Examined("x.tar", member + std::string(512, '\0'))), "truncated");
  EXPECT_EQ(Told(Examined("x.tar", member + std::string(1024, '\0') + "rest")), "damaged");
  EXPECT_EQ(Told(Examined("x.tar", member.substr(0, 1'000))), "truncated");
}

TEST(Tar, PaddingMustBeZero) {
  std::string tar = Tar("a.txt", Prose(2'000));
  tar[512 + 2'040] = 'x';
  EXPECT_EQ(Told(Examined("x.tar", tar)), "damaged");
}

TEST(Sealed, IsUnreadableUnderItsOwnNameAndEncryptionUnderAnothers) {
  const std::string sealed = "Salted__" + RandomBytes(9'000);
  EXPECT_EQ(Told(Examined("planning.sql.enc", sealed)), "unreadable");
  EXPECT_EQ(Told(Examined("planning.pdf", sealed)), "encrypted");
  EXPECT_EQ(Told(Examined("planning.pdf.locked", sealed)), "encrypted");
}

TEST(Unknown, IsSaidAndNotGuessed) {
  EXPECT_EQ(Told(Examined("x.bin", RandomBytes(50'000))), "undecided");
  EXPECT_EQ(Told(Examined("x.bin", std::string(50'000, '\x7f') + RandomBytes(5'000))), "undecided");
  EXPECT_EQ(Told(Examined("noname", RandomBytes(4096) + Prose(60'000))), "encrypted_in_part");
  EXPECT_EQ(Told(Examined("x.lockbit", RandomBytes(50'000))), "encrypted");
}

}  // namespace
}  // namespace reprise::backup::testing
