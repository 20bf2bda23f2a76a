#include "core/crypto/statement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/crypto/utf8.h"

namespace reprise::crypto {
namespace {

constexpr size_t kKeyMax = 64;
constexpr size_t kKindMax = 64;

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= kKeyMax && std::all_of(key.begin(), key.end(), IsKeyCharacter);
}

// "reprise-plan/v1": a name, '/', 'v' and a number.
bool IsKind(std::string_view kind) {
  const size_t slash = kind.find("/v");
  if (kind.size() > kKindMax || slash == std::string_view::npos) return false;
  const std::string_view version = kind.substr(slash + 2);
  return IsKey(kind.substr(0, slash)) && !version.empty() && version.size() <= 4 && version[0] != '0' &&
         std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <typename... Words>
absl::Status Wrong(size_t line, const Words&... words) {
  return absl::InvalidArgumentError(absl::StrCat("statement, line ", line, ": ", words...));
}

absl::StatusOr<std::pair<std::string, std::string>> ParseField(std::string_view line, size_t number) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Wrong(number, "expected \"key: value\"");
  const std::string_view key = line.substr(0, colon);
  if (!IsKey(key)) return Wrong(number, "a key is made of a-z, 0-9, '-' and '.', at most ", kKeyMax, " of them");
  std::string_view value = line.substr(colon + 1);
  if (value.empty()) return std::pair(std::string(key), std::string());
  if (value[0] != ' ') return Wrong(number, "expected one space after the colon of \"", std::string(key), "\"");
  value.remove_prefix(1);
  if (value.empty() || value.front() == ' ' || value.back() == ' ') {
    return Wrong(number, "spaces around the value of \"", std::string(key), "\"");
  }
  return std::pair(std::string(key), std::string(value));
}

}  // namespace

absl::StatusOr<Statement> Statement::Parse(std::string_view bytes) {
  if (bytes.size() > kStatementBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("statement: ", bytes.size(), " bytes; at most ", kStatementBytesMax, " are read"));
  }
  Statement statement{std::string()};
  for (size_t number = 1; !bytes.empty() || number == 1; ++number) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Wrong(number, "does not end with LF");
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (const size_t at = FindUnplain(line); at != std::string_view::npos) {
      return Wrong(number, "byte ", at + 1, " is not plain text (UTF-8 without control or invisible characters)");
    }
    if (number == 1) {
      if (!IsKind(line)) return Wrong(number, "expected the kind of statement, like \"reprise-plan/v1\"");
      statement.kind_ = std::string(line);
      continue;
    }
    ASSIGN_OR_RETURN(auto field, ParseField(line, number));
    statement.fields_.push_back(std::move(field));
  }
  return statement;
}

Statement& Statement::Add(std::string_view key, std::string_view value) {
  std::string plain = MakePlain(value);
  const size_t first = plain.find_first_not_of(' ');
  if (first == std::string::npos) {
    plain.clear();
  } else {
    plain = plain.substr(first, plain.find_last_not_of(' ') - first + 1);
  }
  fields_.emplace_back(std::string(key), std::move(plain));
  return *this;
}

absl::StatusOr<std::string> Statement::Get(std::string_view key) const {
  const std::string* found = nullptr;
  for (const auto& [name, value] : fields_) {
    if (name != key) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(kind_, ": \"", std::string(key), "\" stands in it more than once"));
    }
    found = &value;
  }
  if (found == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(kind_, ": \"", std::string(key), "\" is missing"));
  }
  return *found;
}

std::vector<std::string> Statement::All(std::string_view key) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : fields_) {
    if (name == key) values.push_back(value);
  }
  return values;
}

std::string Statement::Bytes() const {
  std::string bytes = absl::StrCat(kind_, "\n");
  for (const auto& [key, value] : fields_) absl::StrAppend(&bytes, key, value.empty() ? ":" : ": ", value, "\n");
  return bytes;
}

}  // namespace reprise::crypto
