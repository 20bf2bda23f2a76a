#include "core/coordinator/blob_store.h"

#include <cstdlib>
#include <fstream>

#include "core/coordinator/throttle.h"
#include "tests/support/status_matchers.h"

namespace reprise::coordinator {
namespace {

using reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

class BlobStoreTest : public ::testing::Test {
 protected:
  BlobStoreTest() {
    std::string name = std::filesystem::temp_directory_path() / "blobs-test-XXXXXX";
    folder = mkdtemp(name.data());
    store = *BlobStore::OpenFolder(folder);
  }
  ~BlobStoreTest() override { std::filesystem::remove_all(folder); }

  absl::Status Put(const std::string& content, const std::string& sha256, uint64_t size) {
    auto upload = store->Begin(sha256, size);
    if (!upload.ok()) return upload.status();
    if (absl::Status status = (*upload)->Write(content); !status.ok()) return status;
    return (*upload)->Commit();
  }
  size_t Files() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) files += entry.is_regular_file();
    return files;
  }

  std::filesystem::path folder;
  std::unique_ptr<BlobStore> store;
};

TEST_F(BlobStoreTest, KeepsWhatHasTheHashThatWasAnnounced) {
  ASSERT_OK(Put("hello", crypto::Sha256("hello"), 5));
  ASSERT_OK_AND_ASSIGN(OpenBlob blob, store->Open(crypto::Sha256("hello"), 1));
  EXPECT_EQ(*blob.Read(3), "ell");
  EXPECT_EQ(*blob.Read(3), "o");
  EXPECT_EQ(*blob.Read(3), "");
  ASSERT_OK(Put("hello", crypto::Sha256("hello"), 5)) << "again is no harm";
  EXPECT_EQ(Files(), 1);
}

TEST_F(BlobStoreTest, LeavesNothingOfWhatWasWrongOrCutShort) {
  EXPECT_THAT(Put("hullo", crypto::Sha256("hello"), 5), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("SHA-256")));
  EXPECT_THAT(Put("hell", crypto::Sha256("hello"), 5), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4 bytes")));
  EXPECT_THAT(Put("hello!", crypto::Sha256("hello"), 5), StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_THAT(Put("", "short", 0), StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_EQ(Files(), 0);
  // Of a coordinator that was killed in the middle of it.
  std::ofstream(folder / "incoming" / "77") << "half";
  store = *BlobStore::OpenFolder(folder);
  EXPECT_EQ(Files(), 0);
}

TEST_F(BlobStoreTest, SaysWhatIsNotThere) {
  EXPECT_THAT(store->Open(crypto::Sha256("x"), 0), StatusIs(absl::StatusCode::kNotFound, _));
  ASSERT_OK(Put("hello", crypto::Sha256("hello"), 5));
  EXPECT_THAT(store->Open(crypto::Sha256("hello"), 6), StatusIs(absl::StatusCode::kOutOfRange, _));
  EXPECT_THAT(store->Begin(crypto::Sha256("x"), BlobStore::kSizeMax + 1),
              StatusIs(absl::StatusCode::kResourceExhausted, _));
}

TEST(Throttle, LetsPassNoMoreThanItsRateOverTime) {
  Throttle throttle(1'000);
  const auto now = Throttle::Clock::now();
  EXPECT_EQ(throttle.Take(500, now).count(), 0) << "whoever comes first need not wait";
  EXPECT_EQ(throttle.Take(500, now).count(), 500);
  EXPECT_EQ(throttle.Take(1, now).count(), 1000);
  EXPECT_EQ(throttle.Take(1, now + std::chrono::hours(1)).count(), 0) << "what was not used is not saved up";
  EXPECT_EQ(throttle.Take(1'000, now + std::chrono::hours(1)).count(), 1);
  EXPECT_EQ(Throttle(0).Take(1u << 30, now).count(), 0) << "no cap";
}

}  // namespace
}  // namespace reprise::coordinator
