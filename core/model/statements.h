// The statements that people sign, as values: what stands in them, made and read strictly. One meaning has one text:
// what is read and written again gives the same bytes, else it is refused (INVALID_ARGUMENT, naming the field). An
// unknown, doubled or misplaced line is an error, because a person may have read what a program would pass over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/crypto/statement.h"
#include "core/model/names.h"

namespace reprise::model {

// "reprise-plan/v1": the whole of a plan in a dozen lines.
struct PlanStatement {
  std::string plan_id;
  std::string workflow;
  std::string requester;
  uint32_t keyring_version = 0;
  v1::Effect effect = v1::EFFECT_UNSPECIFIED;
  bool exercise = false;
  uint32_t hosts = 0;
  UnixMs created = 0;      // Whole seconds.
  UnixMs expires = 0;      // Whole seconds.
  std::string nonce;       // 16 bytes
  std::string header_sha256;  // 32 bytes
  std::string merkle_root; // 32 bytes

  crypto::Statement Write() const;
  static absl::StatusOr<PlanStatement> Read(std::string_view bytes);
};

// "reprise-gate/v1": one person's decision on one gate of one run.
struct GateStatement {
  std::string plan_id;
  std::string merkle_root;  // 32 bytes
  uint64_t run = 0;
  std::string gate;
  bool waive = false;
  std::string reason;      // Required to waive.
  UnixMs expires = 0;      // Of a waiver, which must have one: after this it opens nothing more. 0: none.
  std::string signer;
  UnixMs issued = 0;

  crypto::Statement Write() const;
  static absl::StatusOr<GateStatement> Read(std::string_view bytes);
};

// "reprise-host/v1": what people have decided about a host. The agent keeps the newest.
struct HostStatement {
  std::string host;
  uint64_t serial = 0;     // Greater than every earlier one of this host.
  v1::Zone zone = v1::ZONE_UNSPECIFIED;
  v1::AssetClass asset_class = v1::ASSET_CLASS_UNSPECIFIED;
  v1::TrustState trust = v1::TRUST_STATE_UNSPECIFIED;
  std::string hold;        // Reason of the evidence hold; empty: none.
  UnixMs issued = 0;

  crypto::Statement Write() const;
  static absl::StatusOr<HostStatement> Read(std::string_view bytes);
};

}  // namespace reprise::model
