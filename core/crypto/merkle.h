// Merkle tree over SHA-256 as in RFC 6962 section 2.1: leaves are hashed with a 0x00 prefix, nodes with 0x01,
// so that a node can never be shown as a leaf. Not balanced by padding: any number of leaves >= 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace reprise::crypto {

std::string MerkleLeafHash(std::string_view leaf);

class MerkleTree {
 public:
  explicit MerkleTree(const std::vector<std::string>& leaves);

  const std::string& Root() const { return levels_.back().front(); }
  // Sibling hashes from the leaf up. REQUIRES: index < number of leaves.
  std::vector<std::string> Proof(size_t index) const;

 private:
  std::vector<std::vector<std::string>> levels_;  // levels_[0]: leaf hashes.
};

// UNAUTHENTICATED when `leaf` is not leaf `index` of `count` under `root`.
absl::Status VerifyMerkleProof(std::string_view leaf, uint32_t index, uint32_t count,
                               const std::vector<std::string>& proof, std::string_view root);

}  // namespace reprise::crypto
