// One version of a keyring as text: its grammar and what makes it legal by itself. Who may put it behind another is
// keyring.h's matter. Private to core/model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/crypto/statement.h"
#include "core/model/keyring.h"

namespace reprise::model::internal {

struct KeyringText {
  uint32_t version = 0;
  std::string previous;  // Hex, or "none".
  UnixMs issued = 0;
  SigningPolicy policy;
  std::vector<Operator> operators;
};

// In one order and form, whatever the order of the values: operators by name, roles and classes by their words.
crypto::Statement WriteKeyringText(const KeyringText& text);
// INVALID_ARGUMENT names the field or the operator.
absl::StatusOr<KeyringText> ReadKeyringText(std::string_view bytes);

}  // namespace reprise::model::internal
