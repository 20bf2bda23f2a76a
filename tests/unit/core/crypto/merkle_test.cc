#include "core/crypto/merkle.h"

#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "tests/support/status_matchers.h"

namespace reprise::crypto {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

constexpr auto kRefused = absl::StatusCode::kUnauthenticated;

std::vector<std::string> Leaves(size_t count) {
  std::vector<std::string> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back("host " + std::to_string(i));
  return leaves;
}

// RFC 6962's own words, section 2.1: split at the greatest power of two below n.
std::string RecursiveRoot(const std::vector<std::string>& leaves, size_t from, size_t count) {
  if (count == 1) return Sha256(std::string(1, '\0') + leaves[from]);
  size_t split = 1;
  while (split * 2 < count) split *= 2;
  return Sha256("\x01" + RecursiveRoot(leaves, from, split) + RecursiveRoot(leaves, from + split, count - split));
}

TEST(Merkle, GivesTheRootsOfCertificateTransparencysTestVectors) {
  const std::vector<std::string> inputs = {"",         std::string(1, '\0'), "\x10",
                                           "\x20\x21", "\x30\x31",           "\x40\x41\x42\x43"};
  EXPECT_EQ(ToHex(MerkleTree({inputs[0]}).Root()), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(ToHex(MerkleTree({inputs[0], inputs[1]}).Root()),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  EXPECT_EQ(ToHex(MerkleTree({inputs[0], inputs[1], inputs[2]}).Root()),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
  EXPECT_EQ(ToHex(MerkleTree(inputs).Root()), "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef");
}

TEST(Merkle, HasTheRfcsShapeAndProvesEveryLeafForEverySize) {
  for (size_t count = 1; count <= 67; ++count) {
    const auto leaves = Leaves(count);
    const MerkleTree tree(leaves);
    ASSERT_EQ(tree.Root(), RecursiveRoot(leaves, 0, count)) << count;
    for (size_t i = 0; i < count; ++i) {
      EXPECT_OK(VerifyMerkleProof(leaves[i], static_cast<uint32_t>(i), static_cast<uint32_t>(count), tree.Proof(i),
                                  tree.Root()));
    }
  }
}

TEST(Merkle, RefusesAnotherLeafAnotherPlaceAndAnotherRoot) {
  const auto leaves = Leaves(7);
  const MerkleTree tree(leaves);
  for (uint32_t i = 0; i < 7; ++i) {
    EXPECT_THAT(VerifyMerkleProof("host 99", i, 7, tree.Proof(i), tree.Root()), StatusIs(kRefused, _));
    EXPECT_THAT(VerifyMerkleProof(leaves[i], (i + 1) % 7, 7, tree.Proof(i), tree.Root()), StatusIs(kRefused, _));
    EXPECT_THAT(VerifyMerkleProof(leaves[i], i, 7, tree.Proof(i), MerkleTree(Leaves(8)).Root()), StatusIs(kRefused, _));
  }
}

TEST(Merkle, RefusesEveryFlippedBitOfAProof) {
  const auto leaves = Leaves(5);
  const MerkleTree tree(leaves);
  for (size_t node = 0; node < tree.Proof(2).size(); ++node) {
    for (size_t bit = 0; bit < 8 * kSha256Size; bit += 7) {
      auto proof = tree.Proof(2);
      proof[node][bit / 8] = static_cast<char>(proof[node][bit / 8] ^ (1 << (bit % 8)));
      EXPECT_THAT(VerifyMerkleProof(leaves[2], 2, 5, proof, tree.Root()), StatusIs(kRefused, _));
    }
  }
}

TEST(Merkle, RefusesProofsThatAreTooShortTooLongOrOfOtherSizes) {
  const auto leaves = Leaves(4);
  const MerkleTree tree(leaves);
  auto proof = tree.Proof(1);
  proof.push_back(Sha256("more"));
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 1, 4, proof, tree.Root()), StatusIs(kRefused, HasSubstr("too long")));
  proof.resize(1);
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 1, 4, proof, tree.Root()), StatusIs(kRefused, HasSubstr("too short")));
  proof = tree.Proof(1);
  proof[0] += "x";
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 1, 4, proof, tree.Root()), StatusIs(kRefused, HasSubstr("32 bytes")));
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 4, 4, tree.Proof(1), tree.Root()), StatusIs(kRefused, HasSubstr("no leaf")));
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 0, 0, {}, tree.Root()), StatusIs(kRefused, HasSubstr("no leaf")));
  EXPECT_THAT(VerifyMerkleProof(leaves[1], 4'000'000'000u, 4'294'967'295u, {}, tree.Root()), StatusIs(kRefused, _));
}

// The attack that the two prefixes are there against: the bytes of an inner node shown as a leaf of a smaller tree.
TEST(Merkle, RefusesANodeShownAsALeaf) {
  const auto leaves = Leaves(4);
  const MerkleTree tree(leaves);
  const std::string node = MerkleLeafHash(leaves[0]) + MerkleLeafHash(leaves[1]);
  const std::string right = Sha256("\x01" + MerkleLeafHash(leaves[2]) + MerkleLeafHash(leaves[3]));
  EXPECT_THAT(VerifyMerkleProof(node, 0, 2, {right}, tree.Root()), StatusIs(kRefused, _));
  EXPECT_THAT(VerifyMerkleProof("\x01" + node, 0, 2, {right}, tree.Root()), StatusIs(kRefused, _));
}

TEST(Merkle, ProvesNothingUnderTheRootOfNoLeaves) {
  const MerkleTree empty(std::vector<std::string>{});
  EXPECT_EQ(empty.Root(), Sha256(""));
  EXPECT_THAT(VerifyMerkleProof("", 0, 1, {}, empty.Root()), StatusIs(kRefused, _));
}

}  // namespace
}  // namespace reprise::crypto
