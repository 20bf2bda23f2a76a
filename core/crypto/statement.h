// The text that people sign: a first line that says what kind it is, then "key: value" lines. Readable on an
// air-gapped screen, and one grammar for plans, gates, hosts and keyrings, so that a signature made for one kind
// can never serve as another.
//
//   reprise-plan/v1
//   plan: edr-campaign-7f3a91c2
//   merkle-root: 9b1c…
//
// Strict: UTF-8 without control or invisible characters, LF after every line, no blank lines, no spaces around the
// value (an empty one is written "key:"), keys of a-z, 0-9, '-' and '.'. A key may repeat. What is parsed and written
// again gives the same bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace reprise::crypto {

inline constexpr size_t kStatementBytesMax = 256 << 10;

class Statement {
 public:
  explicit Statement(std::string kind) : kind_(std::move(kind)) {}
  // INVALID_ARGUMENT with the line's number.
  static absl::StatusOr<Statement> Parse(std::string_view bytes);

  const std::string& kind() const { return kind_; }   // "reprise-plan/v1"
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

  // REQUIRES: a legal key. Control and invisible characters of the value become spaces; spaces around it go.
  Statement& Add(std::string_view key, std::string_view value);
  // The one value of a key. INVALID_ARGUMENT when it is missing or repeated.
  absl::StatusOr<std::string> Get(std::string_view key) const;
  std::vector<std::string> All(std::string_view key) const;

  std::string Bytes() const;

 private:
  std::string kind_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace reprise::crypto
