#include "core/model/statement_reader.h"

#include "core/base/text.h"

namespace reprise::model::internal {

StatementReader::StatementReader(std::string_view bytes, std::string_view kind)
    : bytes_(bytes), kind_(kind), statement_(kind_) {
  auto parsed = crypto::Statement::Parse(bytes);
  if (!parsed.ok()) {
    status_ = std::move(parsed).status();
    return;
  }
  statement_ = *std::move(parsed);
  Require(statement_.kind() == kind_, absl::StrCat("this is a statement of kind ", statement_.kind()));
}

std::string StatementReader::Text(std::string_view key) {
  if (!status_.ok()) return "";
  auto value = statement_.Get(key);
  if (!value.ok()) {
    status_ = std::move(value).status();
    return "";
  }
  if (value->empty()) Fail(key, "", "a value");
  return *std::move(value);
}

std::string StatementReader::OptionalText(std::string_view key) {
  return statement_.All(key).empty() ? "" : Text(key);
}

std::string StatementReader::Name(std::string_view key) {
  const std::string text = Text(key);
  if (!IsName(text)) Fail(key, text, "a name of a-z, 0-9, '-' and '.', at most 64");
  return text;
}

UnixMs StatementReader::Time(std::string_view key) {
  const std::string text = Text(key);
  const auto time = ParseTime(text);
  if (!time.ok()) Fail(key, text, "a time like 2026-11-24T09:30:00Z");
  return time.value_or(0);
}

UnixMs StatementReader::OptionalTime(std::string_view key) {
  return statement_.All(key).empty() ? 0 : Time(key);
}

std::string StatementReader::Hex(std::string_view key, size_t bytes) {
  const std::string text = Text(key);
  auto value = FromHex(text);
  if (!value.ok() || value->size() != bytes) {
    Fail(key, text, absl::StrCat(2 * bytes, " hex digits"));
    return "";
  }
  return *std::move(value);
}

bool StatementReader::Yes(std::string_view key) {
  const std::string text = Text(key);
  if (text != "yes" && text != "no") Fail(key, text, "yes or no");
  return text == "yes";
}

void StatementReader::Fail(std::string_view key, std::string_view found, std::string_view expected) {
  Require(false, absl::StrCat("\"", std::string(key), "\" is \"", std::string(found.substr(0, 80)), "\"; expected ",
                              std::string(expected)));
}

void StatementReader::Require(bool holds, std::string_view otherwise) {
  if (holds || !status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(kind_, ": ", std::string(otherwise)));
}

absl::Status StatementReader::Finish(const crypto::Statement& rewritten) const {
  if (!status_.ok()) return status_;
  if (rewritten.Bytes() == bytes_) return absl::OkStatus();
  for (size_t i = 0; i < statement_.fields().size(); ++i) {
    const auto& [key, value] = statement_.fields()[i];
    if (i >= rewritten.fields().size() || rewritten.fields()[i] != statement_.fields()[i]) {
      return absl::InvalidArgumentError(absl::StrCat(kind_, ", line ", i + 2, ": \"", key,
                                                     "\" does not belong here, or is not in its one exact form"));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(kind_, ": a line is missing at the end"));
}

}  // namespace reprise::model::internal
