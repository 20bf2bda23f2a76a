#include "core/crypto/merkle.h"

#include "absl/strings/str_cat.h"
#include "core/crypto/sha256.h"

namespace reprise::crypto {
namespace {

constexpr char kLeafPrefix = '\x00';
constexpr char kNodePrefix = '\x01';

std::string NodeHash(std::string_view left, std::string_view right) {
  std::string bytes;
  bytes.reserve(1 + left.size() + right.size());
  bytes.push_back(kNodePrefix);
  bytes.append(left);
  bytes.append(right);
  return Sha256(bytes);
}

}  // namespace

std::string MerkleLeafHash(std::string_view leaf) {
  std::string bytes;
  bytes.reserve(1 + leaf.size());
  bytes.push_back(kLeafPrefix);
  bytes.append(leaf);
  return Sha256(bytes);
}

// Pairing neighbours level by level, a lonely last node moving up unchanged, gives RFC 6962's tree.
MerkleTree::MerkleTree(const std::vector<std::string>& leaves) {
  std::vector<std::string> level;
  level.reserve(leaves.size());
  for (const auto& leaf : leaves) level.push_back(MerkleLeafHash(leaf));
  if (level.empty()) level.push_back(Sha256(""));  // RFC 6962's root of no leaves; nothing can be proven under it.
  levels_.push_back(std::move(level));
  while (levels_.back().size() > 1) {
    const auto& below = levels_.back();
    std::vector<std::string> above;
    above.reserve((below.size() + 1) / 2);
    for (size_t i = 0; i + 1 < below.size(); i += 2) above.push_back(NodeHash(below[i], below[i + 1]));
    if (below.size() % 2 == 1) above.push_back(below.back());
    levels_.push_back(std::move(above));
  }
}

std::vector<std::string> MerkleTree::Proof(size_t index) const {
  std::vector<std::string> proof;
  for (const auto& level : levels_) {
    if (const size_t sibling = index ^ 1; sibling < level.size()) proof.push_back(level[sibling]);
    index /= 2;
  }
  return proof;
}

absl::Status VerifyMerkleProof(std::string_view leaf, uint32_t index, uint32_t count,
                               const std::vector<std::string>& proof, std::string_view root) {
  if (index >= count) {
    return absl::UnauthenticatedError(absl::StrCat("Merkle proof: there is no leaf ", index, " of ", count));
  }
  std::string hash = MerkleLeafHash(leaf);
  size_t used = 0;
  uint64_t position = index;
  for (uint64_t width = count; width > 1; width = (width + 1) / 2, position /= 2) {
    if ((position ^ 1) >= width) continue;  // Lonely: moves up unchanged.
    if (used == proof.size()) return absl::UnauthenticatedError("Merkle proof: too short");
    const std::string& sibling = proof[used++];
    if (sibling.size() != kSha256Size) return absl::UnauthenticatedError("Merkle proof: a hash is not 32 bytes long");
    hash = position % 2 == 1 ? NodeHash(sibling, hash) : NodeHash(hash, sibling);
  }
  if (used != proof.size()) return absl::UnauthenticatedError("Merkle proof: too long");
  if (hash != root) return absl::UnauthenticatedError("Merkle proof: the leaf does not stand under the root");
  return absl::OkStatus();
}

}  // namespace reprise::crypto
