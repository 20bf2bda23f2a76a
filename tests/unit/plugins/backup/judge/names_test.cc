#include "plugins/backup/judge/names.h"

#include <gtest/gtest.h>

namespace reprise::backup {
namespace {

TEST(Names, SayWhichFormatToExpectAlsoBehindAnExtensionThatWasAdded) {
  EXPECT_EQ(FormatByName("a/b.tar!c/plan.PNG"), "png");
  EXPECT_EQ(FormatByName("plan.png.lockbit"), "png");
  EXPECT_EQ(FormatByName("planning.sql.old"), "sql");
  EXPECT_EQ(FormatByName("planning.sql.enc"), "");  // Sealed on purpose: no longer SQL.
  EXPECT_EQ(FormatByName("base.bak"), "");
}

TEST(Names, KnowRansomwaresExtensionsWithoutAccusingWords) {
  EXPECT_EQ(RansomExtension("x/plan.pdf.LOCKBIT"), "LOCKBIT");
  EXPECT_EQ(RansomExtension("plan.pdf.play"), "play");
  EXPECT_EQ(RansomExtension("theatre.play"), "");
  EXPECT_EQ(RansomExtension("config.inc"), "");
  EXPECT_EQ(RansomExtension("plan.pdf"), "");
}

TEST(Names, TellAnExtensionThatPeopleAddFromOneThatNobodyKnows) {
  EXPECT_EQ(ForeignExtension("plan.pdf.k3jx9q"), "k3jx9q");
  for (const char* usual : {"plan.pdf.bak", "plan.pdf.1", "plan.pdf", "notes.k3jx9q", "plan.pdf.sha256"}) {
    EXPECT_EQ(ForeignExtension(usual), "") << usual;
  }
}

TEST(Names, ANoteNeedsADeedAndADemand) {
  const char* note = "All your files have been encrypted. Pay 3 bitcoin. Tor Browser: http://x.onion";
  EXPECT_TRUE(IsRansomNote("HOW_TO_RESTORE.txt", note));
  EXPECT_TRUE(IsRansomNote("lettre.txt", note));
  EXPECT_TRUE(IsRansomNote("LISEZ-MOI.txt", "Vos fichiers ont été chiffrés. Contact us: pay."));
  EXPECT_FALSE(IsRansomNote("README.txt", "How to restore your files from the archive: see chapter 4."));
  EXPECT_FALSE(IsRansomNote("procedure.txt", "If data has been encrypted by ransomware, call the crisis cell."));
}

}  // namespace
}  // namespace reprise::backup
