// A submitted plan, read once: parsed header and leaves, the Merkle tree for proofs. Derived from the plan's bytes,
// never journalled.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "core/crypto/merkle.h"
#include "core/model/statements.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::engine {

struct PlanIndex {
  model::PlanStatement statement;
  plan::v1::PlanHeader header;
  plan::v1::PlanAnnex annex;
  std::vector<plan::v1::HostLeaf> leaves;
  std::vector<std::string> leaf_bytes;
  std::string header_bytes;
  std::string statement_bytes;
  std::unordered_map<std::string, uint32_t> leaf_of_host;
  crypto::MerkleTree tree;

  // Everything in the bundle agrees: hashes, root, counts, indexes in range, no host twice.
  // INVALID_ARGUMENT says what does not.
  static absl::StatusOr<PlanIndex> Read(const plan::v1::PlanBundle& bundle);

  // What the agent of leaf `host` needs, with these signatures.
  plan::v1::PlanAuthority AuthorityFor(uint32_t host, const std::vector<plan::v1::Signature>& signatures) const;
};

}  // namespace reprise::engine
