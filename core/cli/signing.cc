#include "core/cli/signing.h"

#include <sys/stat.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace reprise::cli {
namespace {

constexpr char kPasswordVariable[] = "REPRISE_KEY_PASSWORD_FILE";
constexpr std::string_view kSignatureMark = "untrusted comment: ";

// Empty: no file is named.
absl::StatusOr<std::string> PasswordFromFile() {
  const char* file = std::getenv(kPasswordVariable);
  if (file == nullptr || *file == '\0') return std::string();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

absl::StatusOr<crypto::SecretKey> LoadSigningKey(Context& context, const std::filesystem::path& file) {
  auto text = ReadFile(file);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(absl::StrCat("there is no signing key at ", file.string(),
                                            "\n  try: put your minisign secret key there as signing.key; it never "
                                            "leaves your machine"));
  }
  if (!text.ok()) return text.status();
  if (struct stat found{}; stat(file.c_str(), &found) == 0 && (found.st_mode & 077) != 0) {
    context.Note(absl::StrCat("warning: others on this machine may read ", file.string(), "; chmod 600 it"));
  }
  auto key = crypto::SecretKey::Parse(*text, "");
  if (!absl::IsUnauthenticated(key.status())) return key;
  ASSIGN_OR_RETURN(std::string password, PasswordFromFile());
  if (password.empty()) {
    ASSIGN_OR_RETURN(password, context.terminal.AskSecret(absl::StrCat("Password of ", file.string(), ": ")));
  }
  return crypto::SecretKey::Parse(*text, password);
}

absl::StatusOr<crypto::SecretKey> LoadMySigningKey(Context& context) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  return LoadSigningKey(context, profile->SigningKey());
}

plan::v1::Signature SignBytes(const Context& context, const crypto::SecretKey& key, const std::string& person,
                              std::string_view bytes, std::string_view what) {
  plan::v1::Signature signature;
  signature.set_minisig(key.Sign(bytes, absl::StrCat("signed by ", person, " at ", FormatTime(context.clock.Now()), ", ",
                                                     std::string(what))));
  return signature;
}

plan::v1::SignedStatement SignStatement(const Context& context, const crypto::SecretKey& key, const std::string& person,
                                        const crypto::Statement& statement) {
  plan::v1::SignedStatement made;
  made.set_statement(statement.Bytes());
  *made.add_signatures() = SignBytes(context, key, person, made.statement(), statement.kind());
  return made;
}

absl::StatusOr<std::string> NewPassword(Context& context, const std::string& whose) {
  ASSIGN_OR_RETURN(std::string password, PasswordFromFile());
  if (!password.empty()) return password;
  ASSIGN_OR_RETURN(password, context.terminal.AskSecret(absl::StrCat("Password for the signing key of ", whose, ": ")));
  if (password.empty()) {
    return absl::FailedPreconditionError("an empty password protects nothing; say --no-password if that is meant");
  }
  ASSIGN_OR_RETURN(const std::string again, context.terminal.AskSecret("The same again: "));
  if (again != password) return absl::FailedPreconditionError("the two passwords differ; nothing was made");
  return password;
}

std::string WriteSignedFile(const plan::v1::SignedStatement& statement) {
  std::string text = statement.statement();
  for (const auto& signature : statement.signatures()) absl::StrAppend(&text, signature.minisig());
  return text;
}

// No line of a statement begins as a signature does: its keys have no spaces.
absl::StatusOr<plan::v1::SignedStatement> ReadSignedFile(std::string_view text) {
  plan::v1::SignedStatement statement;
  size_t at = 0;
  int lines_left = 0;
  std::string* into = statement.mutable_statement();
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line = text.substr(at, end - at);
    if (lines_left == 0 && line.starts_with(kSignatureMark)) {
      into = statement.add_signatures()->mutable_minisig();
      lines_left = 4;
    }
    if (statement.signatures_size() > 0) {
      if (lines_left == 0) {
        return absl::InvalidArgumentError("the file goes on after its signatures with what is no signature");
      }
      --lines_left;
    }
    into->append(line);
    at = end;
  }
  if (lines_left != 0) return absl::InvalidArgumentError("the file's last signature is cut off");
  RETURN_IF_ERROR(crypto::Statement::Parse(statement.statement()).status());
  return statement;
}

}  // namespace reprise::cli
