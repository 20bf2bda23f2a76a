// A plugin's signature beside its library: FILE.minisig, which `minisign -V` verifies too. Private to commands.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/model/keyring.h"

namespace reprise::cli {

std::filesystem::path SignatureFile(const std::filesystem::path& library);

// With the key of the profile in use. `bytes`: the library's.
absl::StatusOr<plan::v1::Signature> SignPlugin(Context& context, std::string_view bytes);

// Who of the keyring signed. PERMISSION_DENIED: nobody active of it; UNAUTHENTICATED: the signature is not over these bytes.
absl::StatusOr<std::string> SignerOfPlugin(const model::Keyring& keyring, std::string_view bytes,
                                           const plan::v1::Signature& signature);

}  // namespace reprise::cli
