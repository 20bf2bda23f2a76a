#include "core/crypto/sha256.h"

#include <cstdlib>
#include <filesystem>

#include "core/base/files.h"
#include "core/base/text.h"
#include "tests/support/status_matchers.h"

namespace reprise::crypto {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::HasSubstr;

// FIPS 180-4's examples.
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfAMillionAs[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256Test, GivesThePublishedDigests) {
  EXPECT_EQ(ToHex(Sha256("")), kOfNothing);
  EXPECT_EQ(ToHex(Sha256("abc")), kOfAbc);
  EXPECT_EQ(ToHex(Sha256(std::string(1'000'000, 'a'))), kOfAMillionAs);
}

TEST(Sha256Test, GivesTheSameInPiecesAndStartsAfreshAfterEach) {
  Sha256Hasher hasher;
  hasher.Update("a");
  hasher.Update("");
  hasher.Update("bc");
  EXPECT_EQ(ToHex(hasher.Finish()), kOfAbc);
  EXPECT_EQ(ToHex(hasher.Finish()), kOfNothing);
  Sha256Hasher moved = std::move(hasher);
  moved.Update("abc");
  EXPECT_EQ(ToHex(moved.Finish()), kOfAbc);
}

TEST(Sha256Test, HashesAFileLongerThanItsBuffer) {
  std::string pattern = (std::filesystem::temp_directory_path() / "reprise-sha-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  ASSERT_OK(WriteFileDurably(folder / "f", std::string(1'000'000, 'a')));
  ASSERT_OK_AND_ASSIGN(const std::string digest, Sha256OfFile(folder / "f"));
  EXPECT_EQ(ToHex(digest), kOfAMillionAs);
  EXPECT_THAT(Sha256OfFile(folder / "absent"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
  EXPECT_FALSE(Sha256OfFile(folder).ok()) << "a folder";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace reprise::crypto
