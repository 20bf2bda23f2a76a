// Reads the fields of one statement into typed values and remembers the first error, so that a reader is a list of
// fields. Private to core/model.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/crypto/statement.h"
#include "core/model/names.h"

namespace reprise::model::internal {

class StatementReader {
 public:
  // `kind` as "reprise-plan/v1".
  StatementReader(std::string_view bytes, std::string_view kind);

  std::string Text(std::string_view key);          // Never empty.
  std::string OptionalText(std::string_view key);  // Empty: the line is absent.
  std::string Name(std::string_view key);
  UnixMs Time(std::string_view key);
  UnixMs OptionalTime(std::string_view key);  // 0: the line is absent.
  std::string Hex(std::string_view key, size_t bytes);
  bool Yes(std::string_view key);  // "yes" or "no".

  template <typename Integer>
  Integer Number(std::string_view key) {
    const std::string text = Text(key);
    Integer number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) Fail(key, text, "a number");
    return number;
  }
  template <typename Enum>
  Enum Word(std::string_view key) {
    const std::string text = Text(key);
    const auto value = FromName<Enum>(text);
    if (!value) Fail(key, text, "a word of the vocabulary");
    return value.value_or(static_cast<Enum>(0));
  }

  void Fail(std::string_view key, std::string_view found, std::string_view expected);
  void Require(bool holds, std::string_view otherwise);
  const crypto::Statement& statement() const { return statement_; }

  // The first error; else whether `rewritten`, made from the values that were read, has the same bytes.
  absl::Status Finish(const crypto::Statement& rewritten) const;
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string_view bytes_;
  std::string kind_;
  absl::Status status_;
  crypto::Statement statement_;
};

}  // namespace reprise::model::internal
