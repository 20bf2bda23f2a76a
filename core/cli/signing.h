// The person's own key at work. It is read when something is signed and wiped right after; the password comes from the
// file that REPRISE_KEY_PASSWORD_FILE names, or is asked for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/cli/context.h"
#include "core/crypto/minisign.h"
#include "core/crypto/statement.h"
#include "reprise/plan/v1/plan.pb.h"

namespace reprise::cli {

// UNAUTHENTICATED: wrong password.
absl::StatusOr<crypto::SecretKey> LoadSigningKey(Context& context, const std::filesystem::path& file);
// Of the profile in use.
absl::StatusOr<crypto::SecretKey> LoadMySigningKey(Context& context);

// A signature whose trusted comment says who, what kind and when.
plan::v1::Signature SignBytes(const Context& context, const crypto::SecretKey& key, const std::string& person,
                              std::string_view bytes, std::string_view what);
plan::v1::SignedStatement SignStatement(const Context& context, const crypto::SecretKey& key, const std::string& person,
                                        const crypto::Statement& statement);

// A password for a new key: from REPRISE_KEY_PASSWORD_FILE, else asked for twice. Empty: none is wanted.
absl::StatusOr<std::string> NewPassword(Context& context, const std::string& whose);

// A statement with its signatures as a text file that people carry from one to the other: the statement, then each
// signature in minisign's own lines.
std::string WriteSignedFile(const plan::v1::SignedStatement& statement);
absl::StatusOr<plan::v1::SignedStatement> ReadSignedFile(std::string_view text);

}  // namespace reprise::cli
