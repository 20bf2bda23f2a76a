// The text of a dump as it streams by, in pieces of any size.
#include <gmock/gmock.h>

#include "plugins/sdk/application/dump_text.h"

namespace reprise::sdk::application {
namespace {

constexpr const char* kHead = "--\n-- PostgreSQL database dump\n--\n\n\\restrict aBc1\n\nSET standard_conforming_strings = on;\n";
constexpr const char* kTail = "\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict aBc1\n\n";

DumpContent Read(const std::string& body, size_t piece = 7, const std::string& tail = kTail) {
  const std::string text = kHead + body + tail;
  DumpReader reader;
  for (size_t at = 0; at < text.size(); at += piece) reader.Feed(std::string_view(text).substr(at, piece));
  return reader.Finish();
}
std::string CodeOf(const std::string& body, const std::string& tail = kTail) {
  try {
    Read(body, 1000, tail);
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(DumpReader, CountsTheRowsOfEachTableWhereverThePiecesEnd) {
  const std::string body =
      "COPY s.t (a, b) FROM stdin;\n1\tx\n2\t\\\\.\n\\r\\restrict\n\\.\n\nCOPY s.empty (a) FROM stdin;\n\\.\n"
      "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\n";
  const DumpContent content = Read(body);
  EXPECT_EQ(content.tables.at("s.t (a, b)").rows, 3u);
  EXPECT_EQ(content.tables.at("s.empty (a)").rows, 0u);
  EXPECT_EQ(content.constraints, 1u);
  for (const size_t piece : {1, 2, 13, 5000}) EXPECT_EQ(Read(body, piece).Fingerprint(), content.Fingerprint()) << piece;
}

TEST(DumpReader, FingerprintsDependOnEachRowAndNotOnTheirOrder) {
  const auto of = [](const std::string& rows) { return Read("COPY s.t (a) FROM stdin;\n" + rows + "\\.\n").Fingerprint(); };
  EXPECT_EQ(of("1\n2\n3\n"), of("3\n1\n2\n"));
  EXPECT_NE(of("1\n2\n3\n"), of("1\n2\n4\n"));
  EXPECT_NE(of("1\n1\n"), of("1\n"));
  EXPECT_NE(of("1\n1\n2\n"), of("1\n2\n2\n"));
}

TEST(DumpReader, IsNotSatisfiedWithHalfADump) {
  EXPECT_EQ(CodeOf("SELECT 1;\n", ""), "truncated_dump");
  EXPECT_EQ(CodeOf("COPY s.t (a) FROM stdin;\n1\n", ""), "truncated_dump");
  EXPECT_EQ(CodeOf("COPY s.t (a) FROM stdin;\n1\n"), "truncated_dump") << "the last words are a row here";
  EXPECT_EQ(CodeOf("", std::string(kTail) + "and mor"), "truncated_dump");
  EXPECT_EQ(CodeOf("CREATE FUNCTION f() AS $x$\n"), "truncated_dump");
}

TEST(DumpReader, RefusesCommandsForPsqlAndLetsBackslashesInDataPass) {
  for (const char* hostile : {"\\! id\n", "SELECT 1 \\g |id\n", "/* x */ \\copy t from program 'id'\n", "\\unrestrict aBc1 \\! id\n",
                              "\\restrict\n", "SELECT 'a' \\! id\n", "SELECT $1 \\! id\n", "SELECT \"a\" \\! id\n"}) {
    EXPECT_EQ(CodeOf(hostile), "hostile_dump") << hostile;
  }
  for (const char* harmless : {"SELECT 'C:\\path';\n", "SELECT E'it\\'s \\\\';\n", "-- \\! a comment\n", "/* \\! /* nested */ \\x */ SELECT 1;\n",
                               "CREATE FUNCTION f() AS $_$ select '\\d' $_$;\n", "COMMENT ON TABLE t IS 'a\n\\b';\n",
                               "CREATE TABLE \"a\\b\" ();\n"}) {
    EXPECT_EQ(CodeOf(harmless), "") << harmless;
  }
}

TEST(DumpReader, PassesOnEveryLineButPgDumpsOwnGuard) {
  std::string passed;
  DumpReader reader([&](std::string_view line) { passed += std::string(line) + "|"; });
  reader.Feed("\\restrict a1\nCOPY t (a) FROM stdin;\n\\restrict data\n\\.\nSELECT 1;\n\\unrestrict a1\n");
  EXPECT_EQ(passed, "COPY t (a) FROM stdin;|\\restrict data|\\.|SELECT 1;|");
}

}  // namespace
}  // namespace reprise::sdk::application
