#include "core/model/plan_seal.h"

#include "core/crypto/merkle.h"
#include "core/crypto/sha256.h"

namespace reprise::model {

PlanStatement StatementOf(const plan::v1::PlanHeader& header, std::string_view header_bytes,
                          const std::vector<std::string>& leaves) {
  PlanStatement statement;
  statement.plan_id = header.plan_id();
  statement.workflow = header.workflow();
  statement.requester = header.requester();
  statement.keyring_version = header.keyring_version();
  statement.effect = header.effect();
  statement.exercise = header.exercise();
  statement.hosts = static_cast<uint32_t>(leaves.size());
  statement.created = header.created_ms();
  statement.expires = header.expires_ms();
  statement.nonce = header.nonce();
  statement.header_sha256 = crypto::Sha256(header_bytes);
  statement.merkle_root = crypto::MerkleTree(leaves).Root();
  return statement;
}

}  // namespace reprise::model
