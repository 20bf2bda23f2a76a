// Texts have no checksum: sound at best, never "checked".
#include <gtest/gtest.h>

#include "tests/unit/plugins/backup/bytes.h"
#include "tests/unit/plugins/backup/formats/examined.h"

namespace reprise::backup::testing {
namespace {

std::string Csv(int records) {
  std::string text = "id;service;date\n";
  for (int i = 0; i < records; ++i) text += std::to_string(i) + ";\"réa; nuit\";2022-08-21\n";
  return text;
}

TEST(Text, IsSoundInTheEncodingsThatAreMet) {
  EXPECT_EQ(Told(Examined("a.txt", Prose(5'000))), "sound");
  EXPECT_EQ(Told(Examined("a.txt",
                          "M\xe9"
                          "decin de garde \xe0 l'h\xf4pital\n")),
            "sound");  // ISO 8859-1
  EXPECT_EQ(Told(Examined("a.txt", std::string("\xff\xfe"
                                               "a\0b\0\n\0",
                                               8))),
            "sound");  // UTF-16
}

TEST(Text, HasNoControlCharactersAndNoBrokenOnes) {
  EXPECT_EQ(Told(Examined("a.txt", Prose(2'000) + '\0' + Prose(2'000))), "damaged");
  EXPECT_EQ(Told(Examined("a.txt", Prose(2'000) + "\xfe" + Prose(2'000))), "damaged");
  EXPECT_EQ(Told(Examined("a.txt", std::string(5'000, 'X'))), "damaged");
  EXPECT_EQ(Told(Examined("a.txt", RandomBytes(5'000))), "encrypted");
  EXPECT_EQ(Told(Examined("a.txt", Striped(Prose(5'000), 16))), "encrypted_in_part");
}

TEST(Csv, EndsWithAWholeRecord) {
  EXPECT_EQ(Told(Examined("a.csv", Csv(50))), "sound");
  EXPECT_EQ(Told(Examined("a.csv", Csv(50) + "50;\"r\xc3\xa9")), "truncated");
  EXPECT_EQ(Told(Examined("a.csv", Csv(50) + "50")), "truncated");
  EXPECT_EQ(Told(Examined("a.csv", Csv(50) + "50;x;y;z\n")), "undecided");
}

TEST(Csv, OfVeryManyRecordsSaysWhichOneIsOdd) {
  std::string text = "id;service;date\n";
  for (int i = 0; i < 5'000; ++i) text += std::to_string(i) + (i % 100 == 0 ? ";\"réa\nnuit\";x\n" : ";réa nuit;2022-08-21\n");
  EXPECT_EQ(Told(Examined("a.csv", text)), "sound");
  EXPECT_EQ(Told(Examined("a.csv", text + "5000;x")), "truncated");
  const std::string wanted = "\n3333;";
  const size_t odd = text.find(wanted) + 1;
  text.insert(odd, "7;8;9;10\n");
  const Outcome outcome = Examined("a.csv", text);
  EXPECT_EQ(Told(outcome), "undecided");
  EXPECT_EQ(outcome.findings.front().offset, odd);
  EXPECT_EQ(outcome.findings.front().found, "4 fields, in one of 1 such records");
}

TEST(Sql, RowsAreNoStatements) {
  std::string dump = "--\n-- PostgreSQL database dump\n--\nCOPY t (a) FROM stdin;\n";
  for (int i = 0; i < 5'000; ++i) dump += std::to_string(i) + "\tgarde de nuit\n";
  const std::string whole = dump + "\\.\n--\n-- PostgreSQL database dump complete\n--\n";
  EXPECT_EQ(Told(Examined("a.sql", whole)), "sound");
  EXPECT_EQ(Told(Examined("a.sql", dump)), "truncated");
  // What looks like the end among the rows is a row.
  EXPECT_EQ(Told(Examined("a.sql", dump + "-- PostgreSQL database dump complete\n1\n\\.\n")), "truncated");
}

TEST(Text, IsReadAcrossPiecesAsInOne) {
  const std::string text = Prose(300'000);
  for (size_t cut = 16'380; cut < 16'390; ++cut) {  // A character of two bytes at every place around a step.
    std::string shifted = text.substr(0, cut);
    shifted.resize(cut, 'x');
    for (char& c : shifted) c = static_cast<unsigned char>(c) < 0x80 ? c : 'e';
    EXPECT_EQ(Told(Examined("a.txt", shifted + "é" + text)), "sound") << cut;
    const Outcome damaged = Examined("a.txt", shifted + "\xc3\xc3" + text);
    EXPECT_EQ(Told(damaged), "damaged") << cut;
    EXPECT_EQ(damaged.findings.front().offset, cut);
  }
}

TEST(Sql, SaysItselfWhereItEnds) {
  const std::string dump =
      "--\n-- PostgreSQL database dump\n--\nCOPY t (a) FROM stdin;\n1\n\\.\n--\n-- PostgreSQL database dump "
      "complete\n--\n";
  EXPECT_EQ(Told(Examined("a.sql", dump)), "sound");
  EXPECT_EQ(Told(Examined("a.sql", dump.substr(0, dump.find("\\.")))), "truncated");
  EXPECT_EQ(Told(Examined("a.sql", dump.substr(0, dump.find("-- PostgreSQL database dump complete")))), "truncated");
  EXPECT_EQ(Told(Examined("b.sql", "INSERT INTO t VALUES (1);\nINSERT INTO t VA")), "truncated");
  EXPECT_EQ(Told(Examined("b.sql", "INSERT INTO t VALUES (1);\n")), "sound");
}

TEST(Json, IsReadToItsLastBracket) {
  EXPECT_EQ(Told(Examined("a.json", "{\"a\": [1, 2, {\"b\": \"é\"}]}\n")), "sound");
  EXPECT_EQ(Told(Examined("a.json", "{\"a\": [1, 2, {\"b\": \"")), "truncated");
  EXPECT_EQ(Told(Examined("a.json", "{\"a\": [1, 2}")), "damaged");
  EXPECT_EQ(Told(Examined("a.json", "{\"a\": 1} trailing")), "damaged");
}

TEST(Xml, IsWellFormedToTheEndOfItsRoot) {
  EXPECT_EQ(Told(Examined("a.xml", "<?xml version=\"1.0\"?><a><b c=\"d\"/></a>\n")), "sound");
  EXPECT_EQ(Told(Examined("a.xml", "<?xml version=\"1.0\"?><a><b c=\"d\"/>")), "truncated");
  EXPECT_EQ(Told(Examined("a.xml", "<?xml version=\"1.0\"?><a><b></a>")), "damaged");
}

TEST(Mail, ClosesItsPartsAndIsAsLongAsItsNameSays) {
  const std::string mail =
      "From: a@b.example\nTo: c@d.example\nContent-Type: multipart/mixed;\n "
      "boundary=\"xyz\"\n\n--xyz\n\nbonjour\n--xyz--\n";
  EXPECT_EQ(Told(Examined("a.eml", mail)), "sound");
  EXPECT_EQ(Told(Examined("a.eml", mail.substr(0, mail.size() - 5))), "truncated");
  EXPECT_EQ(Told(Examined("1.M1.h,S=" + std::to_string(mail.size()) + ":2,S", mail)), "sound");
  EXPECT_EQ(Told(Examined("1.M1.h,S=999:2,S", mail)), "truncated");
  EXPECT_EQ(Told(Examined("a.mbox",
                          "From a Sat Aug 20 10:00:00 2022\n" + mail + "\nFrom b Sat Aug 20 10:00:00 2022\n" + mail)),
            "sound");
}

TEST(Text, OfDosAndOfHl7AndOfKoreanMailHasItsControlCharacters) {
  EXPECT_EQ(Told(Examined("x.txt", Prose(900) + "\x1a")), "sound");
  EXPECT_EQ(Told(Examined("x.txt", "\x1a" + Prose(900))), "damaged");
  EXPECT_EQ(Told(Examined("x.hl7", "\vMSH|^~\\&|LAB\rPID|1\r\x1c\r\vMSH|^~\\&|LAB\r\x1c\r")), "sound");
  const std::string korean = "From: a@b\nTo: b@c\nContent-Type: text/plain; charset=iso-2022-kr\n\n\x1b$)C\x0eH/@Z\x0f ok\n";
  EXPECT_EQ(Told(Examined("x.eml", korean)), "sound");
  EXPECT_EQ(Told(Examined("x.mbox", "From a@b Sat Aug 20 10:00:00 2022\n" + korean + "\n")), "sound");
  EXPECT_EQ(Told(Examined("x.txt", Prose(900) + "\x0e\x0f")), "damaged");
}

TEST(Text, OfSeveralProgramsIsNotAccused) {
  std::string log;
  for (int i = 0; i < 100; ++i) log += Prose(200) + "connect\xe9 \xe0 la base\n";
  EXPECT_EQ(Told(Examined("x.log", log)), "undecided");
  EXPECT_EQ(Told(Examined("x.log", Prose(20'000) + "\xe9\n")), "damaged");
}

TEST(Text, ThatStandsForRandomBytesIsNotCalledSound) {
  std::string digits;
  for (const char byte : RandomBytes(3'000)) digits += HexOf({&byte, 1});
  EXPECT_EQ(Told(Examined("x.txt", digits)), "undecided");
  EXPECT_EQ(Told(Examined("x.csv", Prose(100) + digits)), "sound");
  EXPECT_EQ(Told(Examined("x.log", Prose(9'000) + std::string(512, '\xff') + Prose(9'000))), "damaged");
}

TEST(Text, DovecotsLogIsNone) { EXPECT_EQ(Told(Examined("a/dovecot.index.log", std::string("\1\2\0\0\5", 5))), "undecided"); }

TEST(Sql, OfMysqldumpMayHoldBytesAsTheyAre) {
  const std::string before = "-- MySQL dump 10.13\nINSERT INTO t VALUES (_binary '\x01\x02\xff\x13');\n", after = "-- Dump completed\n";
  EXPECT_EQ(Told(Examined("x.sql", before + after)), "undecided");
  EXPECT_EQ(Told(Examined("x.sql", before)), "truncated");
  EXPECT_EQ(Told(Examined("x.sql", RandomBytes(4'000))), "encrypted");
}

TEST(Json, MayBeInOtherLettersAndHaveComments) {
  std::string wide = "\xff\xfe";
  for (const char c : std::string("{\"a\": [1, 2]}")) wide += {c, '\0'};
  EXPECT_EQ(Told(Examined("x.json", wide)), "sound");
  EXPECT_EQ(Told(Examined("x.json", wide.substr(0, wide.size() - 4))), "truncated");
  EXPECT_EQ(Told(Examined("x.json", wide + wide.substr(2, 4))), "damaged");
  EXPECT_EQ(Told(Examined("x.json", "{\"nom\": \"H\xe9l\xe8ne\"}")), "sound");
  EXPECT_EQ(Told(Examined("x.json", "// comment\n{\"a\": 1}")), "sound");
  EXPECT_EQ(Told(Examined("x.json", "{\"a\": NaN}")), "undecided");
}

TEST(Xml, PartsOfADefinitionAreText) {
  EXPECT_EQ(Told(Examined("x.xml", "<?xml version=\"1.0\"?>\n<!ENTITY a \"b\">\n<!ELEMENT c (#PCDATA)>\n")), "sound");
  EXPECT_EQ(Told(Examined("x.xml", "<?xml version=\"1.0\"?>\n<!-- c -->\n<!ELEMENT c (#PCDATA)>\n")), "sound");
  EXPECT_EQ(Told(Examined("x.xml", "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"a.dtd\">\n<a>&b;</a>\n")), "sound");
  EXPECT_EQ(Told(Examined("x.xml", "<a/>\n<b/>\n")), "undecided");
  EXPECT_EQ(Told(Examined("x.xml", "<a/>\n\1\2\3")), "damaged");
}

TEST(PgDump, ListOfLargeObjectsNamesTheirFiles) {
  const Outcome outcome = Examined("blobs.toc", "16418 blob_16418.dat\n16419 blob_16419.dat\n");
  EXPECT_EQ(outcome.needs, (std::vector<std::string>{"blob_16418.dat", "blob_16419.dat"}));
  EXPECT_EQ(Told(Examined("blobs.toc", "16418 blob_16418.dat\n16419 bl")), "truncated");
  EXPECT_EQ(Told(Examined("blobs.toc", "16418 blob_16418.dat\n16419 blob_16410.dat\n")), "damaged");
}

TEST(Notes, AreATamperingAndNoPartOfTheBackup) {
  const Outcome outcome = Examined("README.txt", "All your files have been encrypted. Pay in bitcoin at x.onion\n");
  EXPECT_EQ(Told(outcome), "tampered");
  EXPECT_EQ(outcome.extent.bytes, 0U);
}

}  // namespace
}  // namespace reprise::backup::testing
