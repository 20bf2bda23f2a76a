// What is read of dcmtk's words, of files and of parameters: decisions without a server.
#include <gmock/gmock.h>

#include "plugins/pacs/dcmdump.h"
#include "plugins/pacs/dicom_node.h"
#include "plugins/pacs/settings.h"
#include "plugins/pacs/stored_file.h"
#include "tests/unit/plugins/pacs/dicom_maker.h"

namespace reprise::pacs {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood =
    "# dcmdump (1/2): /a\n"
    "(0002,0010) UI [1.2.840.10008.1.2.1]                    #  20, 1 TransferSyntaxUID\n"
    "(0008,0018) UI [1.2.3.4]                                #   8, 1 SOPInstanceUID\n"
    "(0008,1140).(0008,0018) UI [9.9.9]                      #   6, 1 SOPInstanceUID\n"
    "(0010,0020) LO [P1 ]                                    #   4, 1 PatientID\n"
    "(0020,000d) UI [1.2.3]                                  #   6, 1 StudyInstanceUID\n"
    "(0020,000e) UI [1.2.3.1]                                #   8, 1 SeriesInstanceUID\n"
    "(0028,0010) US 64                                       #   2, 1 Rows\n"
    "(0028,0011) US 64                                       #   2, 1 Columns\n"
    "(0028,0100) US 16                                       #   2, 1 BitsAllocated\n"
    "(7fe0,0010) OW 8cef\\3800...                             # 8192, 1 PixelData\n"
    "\n"
    "# dcmdump (2/2): /b\n";

TEST(PacsDump, ReadsTheOutermostElementsOfEachFile) {
  const auto files = ReadDump(kGood, {"/a", "/b"});
  ASSERT_EQ(files.size(), 2u);
  ASSERT_TRUE(files[0]);
  EXPECT_EQ(files[0]->instance, "1.2.3.4");
  EXPECT_EQ(files[0]->study, "1.2.3");
  EXPECT_EQ(files[0]->series, "1.2.3.1");
  EXPECT_EQ(files[0]->pixel_bytes, 8192u);
  EXPECT_EQ(files[0]->WhyIncomplete(), "");
  EXPECT_FALSE(files[1]) << "dcmdump could not read it";
}

TEST(PacsDump, IsRefusedWhenItIsNotOfTheFilesThatWereAsked) {
  EXPECT_THROW(ReadDump(kGood, {"/a", "/b", "/c"}), sdk::Error);
  EXPECT_THROW(ReadDump(kGood, {"/a", "/other"}), sdk::Error);
  EXPECT_THROW(ReadDump("", {"/a"}), sdk::Error);
}

TEST(PacsDump, CallsImagesWithTooFewPixelsIncomplete) {
  std::string text = kGood;
  text.replace(text.find("8192, 1"), 7, "4096, 1");
  const auto files = ReadDump(text, {"/a", "/b"});
  EXPECT_THAT(files[0]->WhyIncomplete(), HasSubstr("expected at least 8192"));
  DumpedFile header = *files[0];
  header.has_pixels = false;
  EXPECT_TRUE(header.IsHeaderOnly());
  EXPECT_THAT(header.WhyIncomplete(), HasSubstr("pixels are missing"));
  header.study = "";
  EXPECT_THAT(header.WhyIncomplete(), HasSubstr("no StudyInstanceUID"));
}

TEST(PacsFindings, CountOnlyResponsesAndOnlyWhenTheServerSaysSuccess) {
  const std::string found =
      "I: (0008,0018) UI (no value available)  #   0, 0 SOPInstanceUID\n"
      "I: Find Response: 1 (Pending)\n"
      "I: (0008,0018) UI [1.2.3 ]                               #   6, 1 SOPInstanceUID\n"
      "I: Find Response: 2 (Pending)\n"
      "I: (0008,0018) UI [1.2.4]                                #   6, 1 SOPInstanceUID\n";
  const auto all = ReadFindings(found + "I: Received Final Find Response (Success)\n");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("0008,0018"), "1.2.3");
  EXPECT_THROW(ReadFindings(found), sdk::Error) << "cut off in the middle";
  EXPECT_THROW(ReadFindings("E: 0006:0317 Peer aborted Association (or never connected)\n"), sdk::Error);
  EXPECT_THROW(ReadFindings(found + "I: Received Final Find Response (Failed: UnableToProcess)\n"), sdk::Error);
}

TEST(PacsSettings, TakePeersByAddressOnly) {
  EXPECT_EQ(ParsePeer("CT1@10.1.0.5:104", "modalities"), (Peer{"CT1", "10.1.0.5", 104}));
  EXPECT_EQ(ParsePeer("CT1@[fd00::5]:104", "modalities").address, "fd00::5");
  for (const char* bad : {"", "CT1", "CT1@ct.hospital:104", "CT1@10.1.0.5", "CT1@10.1.0.5:0", "CT1@10.1.0.5:65536",
                          "@10.1.0.5:104", "A_TITLE_THAT_IS_TOO_LONG@10.1.0.5:104", "CT\\1@10.1.0.5:104", "10.1.0.5:104@CT1"}) {
    EXPECT_THROW(ParsePeer(bad, "modalities"), sdk::Error) << bad;
  }
}

TEST(PacsSettings, LetNobodyStoreInDegradedModeAndNobodyInWithoutBeingNamed) {
  Settings settings{"HR1PACS", 4242, 8042, "a password", {{"VIEW1", "10.1.0.9", 104}}, {}};
  const sdk::Json degraded = sdk::Json::parse(Configuration(settings, Place("main")));
  for (const auto& [name, node] : degraded.at("DicomModalities").items()) {
    EXPECT_EQ(node.at("AllowStore"), false) << name;
  }
  for (const auto& [key, value] : degraded.items()) {
    if (key.rfind("DicomAlwaysAllow", 0) == 0) {
      EXPECT_EQ(value, false) << key;
    }
  }
  EXPECT_EQ(degraded.at("RemoteAccessAllowed"), false);
  EXPECT_EQ(degraded.at("DicomCheckModalityHost"), true);
  settings.modalities = {{"CT1", "10.1.0.5", 104}};
  const sdk::Json interfaced = sdk::Json::parse(Configuration(settings, Place("main")));
  EXPECT_EQ(interfaced.at("DicomModalities").at("modality-1").at("AllowStore"), true);
}

TEST(PacsStoredFile, IsJudgedByItsContent) {
  const fs::path folder = fs::path(::testing::TempDir()) / "pacs_stored";
  fs::remove_all(folder);
  StorageMaker storage(folder);
  const std::string image = Dicom({});
  const auto kind = [&](const std::string& content) { return LookAtStored(folder / storage.Add(content)); };
  EXPECT_EQ(kind(image).kind, StoredKind::kDicom);
  EXPECT_EQ(kind("{\"0008,0005\": 1}").kind, StoredKind::kAttachment);
  EXPECT_TRUE(kind(Compressed(image)).compressed);
  EXPECT_EQ(kind(Compressed(image)).kind, StoredKind::kDicom);
  EXPECT_EQ(kind(Compressed("[]")).kind, StoredKind::kAttachment);
  EXPECT_EQ(kind("").kind, StoredKind::kDamaged);
  EXPECT_EQ(kind(std::string(5000, 'x')).kind, StoredKind::kDamaged);
  std::string bitten = Compressed(image);
  bitten[bitten.size() / 2] ^= 1;
  EXPECT_EQ(kind(bitten).kind, StoredKind::kDamaged);
  EXPECT_EQ(kind(Compressed(image).substr(0, 900)).kind, StoredKind::kDamaged);
  std::string longer = Compressed(image);
  longer[0] ^= 1;
  EXPECT_THAT(kind(longer).why, HasSubstr("expected"));
  storage.AddAs("index", "SQLite format 3");
  EXPECT_EQ(LookAtStored(folder / "index").kind, StoredKind::kIndex);
  storage.AddAs("SHA256SUMS", std::string(64, '0') + "  00/01/one\n");
  EXPECT_EQ(LookAtStored(folder / "SHA256SUMS").kind, StoredKind::kList);
  storage.AddAs("SHA256SUMS", "all your files\n");
  EXPECT_EQ(LookAtStored(folder / "SHA256SUMS").kind, StoredKind::kForeign) << "a name alone is no list";
  storage.AddAs("HOW_TO_DECRYPT.txt", "pay");
  EXPECT_EQ(LookAtStored(folder / "HOW_TO_DECRYPT.txt").kind, StoredKind::kForeign);
  EXPECT_EQ(Decompress(folder / storage.Add(Compressed(image)), folder / "plain"), "");
  EXPECT_EQ(Slurp(folder / "plain"), image);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace reprise::pacs
