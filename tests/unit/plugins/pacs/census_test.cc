// The census of a storage, by the real dcmdump.
#include "plugins/pacs/census.h"

#include <gmock/gmock.h>

#include "tests/unit/plugins/pacs/dicom_maker.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::pacs {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class PacsCensus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/bin/dcmdump", X_OK) != 0) GTEST_SKIP() << "needs dcmtk";
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "work");
    call_.emplace(sdk::Json{{"verb", "probe"}, {"work_dir", (folder_ / "work").string()}});
    context_.emplace(call_->call(), call_->request());
    storage_.emplace(folder_ / "storage");
  }
  void TearDown() override { fs::remove_all(folder_); }
  Census Take() { return TakeCensus(*context_, folder_ / "storage"); }

  const fs::path folder_ = fs::path(::testing::TempDir()) / "pacs_census";
  std::optional<sdk::FakeCall> call_;
  std::optional<sdk::Context> context_;
  std::optional<StorageMaker> storage_;
};

TEST_F(PacsCensus, CountsWhatIsThere) {
  storage_->AddImages(3, 30);
  storage_->Add("{\"0008,0005\": 1}");
  storage_->AddAs("index", "SQLite format 3");
  storage_->AddAs("SHA256SUMS", std::string(64, 'a') + "  00/01/one\n" + std::string(64, 'b') + " *00/02/two\n");
  const Census census = Take();
  EXPECT_EQ(census.counts(), (Counts{3, 6, 12, 360}));
  EXPECT_TRUE(census.IsWhole()) << census.WhyNotWhole();
  EXPECT_EQ(census.attachments, 1u);
  EXPECT_EQ(census.WhyNotWhole(), "");
}

TEST_F(PacsCensus, NamesEveryKindOfDamageAndCountsTheRest) {
  storage_->AddImages(1, 3);
  const auto damaged = [&](int image, const std::function<void(std::string&)>& how) {
    std::string content = Dicom({.patient = 9, .image = image});
    how(content);
    return storage_->Add(content);
  };
  std::set<std::string> expected;
  expected.insert(damaged(1, [](std::string& c) { c.resize(c.size() / 2); }));
  expected.insert(damaged(2, [](std::string& c) { c.resize(300); }));
  expected.insert(damaged(3, [](std::string& c) { c.replace(0, 1000, std::string(1000, 'E')); }));
  expected.insert(damaged(4, [](std::string& c) { std::fill(c.begin() + 200, c.end(), '\0'); }));
  expected.insert(damaged(5, [](std::string& c) { c += std::string(300, 'x'); }));
  expected.insert(damaged(6, [](std::string& c) { for (size_t i = 132; i < c.size(); ++i) c[i] = i / 16 % 2 ? c[i] : c[i] ^ 0x5a; }));
  expected.insert(storage_->Add(Dicom({.patient = 9, .image = 7, .pixels = false})));
  storage_->AddAs("RESTORE-MY-FILES.txt", "pay");
  const Census census = Take();
  EXPECT_EQ(census.counts().instances, 12u);
  EXPECT_FALSE(census.IsWhole());
  std::set<std::string> found;
  for (const Damage& damage : census.damaged) {
    found.insert(damage.file);
    EXPECT_NE(damage.why, "");
  }
  EXPECT_EQ(found, expected);
  EXPECT_THAT(census.foreign, ::testing::ElementsAre("RESTORE-MY-FILES.txt"));
  EXPECT_THAT(census.WhyNotWhole(), HasSubstr("7 damaged files"));
}

TEST_F(PacsCensus, ReadsACompressedStorageWithItsHeaders) {
  for (int i = 1; i <= 3; ++i) {
    storage_->Add(Compressed(Dicom({.image = i})));
    storage_->Add(Compressed(Dicom({.image = i, .pixels = false})));
  }
  const Census census = Take();
  EXPECT_EQ(census.counts(), (Counts{1, 1, 1, 3}));
  EXPECT_EQ(census.attachments, 3u);
  EXPECT_TRUE(census.IsWhole()) << census.WhyNotWhole();
  const PlainFile plain(*context_, folder_ / "storage", census.instances.begin()->second);
  EXPECT_EQ(Slurp(plain.path()), Dicom({.image = 1}));
}

TEST_F(PacsCensus, TellsACopyFromAConflict) {
  storage_->Add(Dicom({}));
  storage_->Add(Dicom({}));
  EXPECT_EQ(Take().copies, 1u);
  EXPECT_TRUE(Take().IsWhole());
  storage_->Add(Dicom({.seed = 1}));
  const Census census = Take();
  EXPECT_THAT(census.conflicts, SizeIs(1));
  EXPECT_FALSE(census.IsWhole());
}

TEST_F(PacsCensus, OfNothingIsNotWhole) {
  EXPECT_FALSE(Take().IsWhole());
  EXPECT_THAT(Take().WhyNotWhole(), HasSubstr("not one instance"));
  EXPECT_THROW(TakeCensus(*context_, folder_ / "nowhere"), sdk::Error);
}

}  // namespace
}  // namespace reprise::pacs
