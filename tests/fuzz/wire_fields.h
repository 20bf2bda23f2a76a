// protobuf's wire format as a flat list of fields, whatever they mean: taken apart and put together again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reprise::fuzz {

struct WireField {
  enum Kind { kVarint = 0, kEight = 1, kLength = 2, kFour = 5 };
  uint32_t id = 0;
  Kind kind = kVarint;
  uint64_t number = 0;  // Of all but kLength.
  std::string bytes;    // Of kLength.
};

// nullopt: these bytes are no message.
std::optional<std::vector<WireField>> ReadFields(std::string_view message);
std::string WriteFields(const std::vector<WireField>& fields);

// Records, each behind its length as a varint.
std::optional<std::vector<std::string>> ReadRecords(std::string_view bytes);
std::string WriteRecords(const std::vector<std::string>& records);

}  // namespace reprise::fuzz
