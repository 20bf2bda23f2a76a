#include "core/model/keyring_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/statement_reader.h"

namespace reprise::model::internal {
namespace {

constexpr char kKind[] = "reprise-keyring/v1";
constexpr uint32_t kSignaturesMax = 16;
constexpr size_t kOperatorsMax = 1000;

template <typename Enum>
std::string Words(const std::vector<Enum>& values) {
  std::set<std::string> words;
  for (const Enum value : values) words.insert(NameOf(value));
  return absl::StrJoin(words, ",");
}

template <typename Enum>
bool ReadWords(std::string_view text, std::vector<Enum>* values) {
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(std::string(text), ','))) {
    const auto value = FromName<Enum>(word);
    if (!value) return false;
    values->push_back(*value);
  }
  return true;
}

absl::StatusOr<Operator> ReadOperator(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  const auto wrong = [&](std::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(kKind, ": operator \"", words[0].substr(0, kNameMax), "\": ", std::string(what)));
  };
  if (words.size() != 4) return wrong("expected \"name roles key active|revoked\"");
  if (!IsName(words[0])) return wrong("not a name of a-z, 0-9, '-' and '.', at most 64");
  std::vector<v1::Role> roles;
  if (!ReadWords(words[1], &roles)) return wrong("roles are viewer, operator, approver and admin, with commas between");
  auto key = crypto::PublicKey::Parse(words[2]);
  if (!key.ok()) return wrong(std::string(key.status().message()));
  if (words[3] != "active" && words[3] != "revoked") return wrong("expected active or revoked at the end");
  return Operator{words[0], std::move(roles), *std::move(key), words[3] == "active"};
}

// Two names with one key would let one person sign as two.
absl::Status CheckDistinct(const std::vector<Operator>& operators) {
  std::map<std::string, std::string> keys;
  std::map<std::string, std::string> ids;
  std::set<std::string> names;
  for (const auto& person : operators) {
    if (!names.insert(person.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(kKind, ": operator ", person.name, " stands in it twice"));
    }
    const auto [same_key, new_key] = keys.emplace(person.key.Bytes(), person.name);
    const auto [same_id, new_id] = ids.emplace(person.key.KeyId(), person.name);
    if (!new_key || !new_id) {
      return absl::InvalidArgumentError(absl::StrCat(kKind, ": operators ", (new_key ? same_id : same_key)->second,
                                                     " and ", person.name,
                                                     " have the same key; every person needs one of his own"));
    }
  }
  return absl::OkStatus();
}

void CheckPolicy(StatementReader& reader, const KeyringText& text) {
  const SigningPolicy& policy = text.policy;
  const auto legal = [](uint32_t count) { return count >= 1 && count <= kSignaturesMax; };
  reader.Require(
      legal(policy.change_signatures) && legal(policy.destroy_signatures) && legal(policy.keyring_signatures),
      absl::StrCat("every number of signatures is from 1 to ", kSignaturesMax));
  reader.Require(policy.destroy_signatures >= policy.change_signatures,
                 "destroying may not need fewer signatures than changing");
  const auto admins = std::count_if(text.operators.begin(), text.operators.end(),
                                    [](const Operator& person) { return person.active && person.Has(v1::ROLE_ADMIN); });
  reader.Require(admins >= static_cast<int64_t>(policy.keyring_signatures),
                 absl::StrCat("it has ", admins, " active admin(s), and policy.keyring-signatures asks for ",
                              policy.keyring_signatures, ": nobody could change it any more"));
}

}  // namespace

crypto::Statement WriteKeyringText(const KeyringText& text) {
  crypto::Statement statement(kKind);
  statement.Add("version", absl::StrCat(text.version))
      .Add("previous", text.previous)
      .Add("issued", FormatTime(text.issued))
      .Add("policy.change-signatures", absl::StrCat(text.policy.change_signatures))
      .Add("policy.destroy-signatures", absl::StrCat(text.policy.destroy_signatures))
      .Add("policy.keyring-signatures", absl::StrCat(text.policy.keyring_signatures));
  if (!text.policy.protected_classes.empty()) {
    statement.Add("policy.protected-classes", Words(text.policy.protected_classes));
  }
  std::vector<const Operator*> sorted;
  for (const auto& person : text.operators) sorted.push_back(&person);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const Operator* person : sorted) {
    statement.Add("operator", absl::StrCat(person->name, " ", Words(person->roles), " ", person->key.Base64(),
                                           person->active ? " active" : " revoked"));
  }
  return statement;
}

absl::StatusOr<KeyringText> ReadKeyringText(std::string_view bytes) {
  StatementReader reader(bytes, kKind);
  KeyringText text;
  text.version = reader.Number<uint32_t>("version");
  text.previous = reader.Text("previous");
  text.issued = reader.Time("issued");
  text.policy.change_signatures = reader.Number<uint32_t>("policy.change-signatures");
  text.policy.destroy_signatures = reader.Number<uint32_t>("policy.destroy-signatures");
  text.policy.keyring_signatures = reader.Number<uint32_t>("policy.keyring-signatures");
  const std::string classes = reader.OptionalText("policy.protected-classes");
  if (!classes.empty() && !ReadWords(classes, &text.policy.protected_classes)) {
    reader.Fail("policy.protected-classes", classes, "asset classes with commas between");
  }
  const std::vector<std::string> lines = reader.statement().All("operator");
  reader.Require(lines.size() <= kOperatorsMax, absl::StrCat("more than ", kOperatorsMax, " operators"));
  RETURN_IF_ERROR(reader.status());
  for (const auto& line : lines) {
    ASSIGN_OR_RETURN(Operator person, ReadOperator(line));
    text.operators.push_back(std::move(person));
  }
  RETURN_IF_ERROR(CheckDistinct(text.operators));
  CheckPolicy(reader, text);
  RETURN_IF_ERROR(reader.Finish(WriteKeyringText(text)));
  return text;
}

}  // namespace reprise::model::internal
