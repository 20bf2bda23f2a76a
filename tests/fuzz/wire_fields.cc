#include "tests/fuzz/wire_fields.h"

namespace reprise::fuzz {
namespace {

bool TakeVarint(std::string_view& rest, uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool TakeFixed(std::string_view& rest, size_t size, uint64_t& number) {
  if (rest.size() < size) return false;
  number = 0;
  for (size_t i = 0; i < size; ++i) number |= static_cast<uint64_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
  rest.remove_prefix(size);
  return true;
}

bool TakeBytes(std::string_view& rest, std::string& bytes) {
  uint64_t size = 0;
  if (!TakeVarint(rest, size) || size > rest.size()) return false;
  bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

void PutVarint(std::string& bytes, uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<char>(number | 0x80));
  bytes.push_back(static_cast<char>(number));
}

void PutFixed(std::string& bytes, size_t size, uint64_t number) {
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

}  // namespace

std::optional<std::vector<WireField>> ReadFields(std::string_view rest) {
  std::vector<WireField> fields;
  while (!rest.empty()) {
    uint64_t tag = 0;
    if (!TakeVarint(rest, tag) || tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) return std::nullopt;
    WireField& field = fields.emplace_back();
    field.id = static_cast<uint32_t>(tag >> 3);
    field.kind = static_cast<WireField::Kind>(tag & 7);
    bool taken = false;
    switch (field.kind) {
      case WireField::kVarint: taken = TakeVarint(rest, field.number); break;
      case WireField::kEight: taken = TakeFixed(rest, 8, field.number); break;
      case WireField::kLength: taken = TakeBytes(rest, field.bytes); break;
      case WireField::kFour: taken = TakeFixed(rest, 4, field.number); break;
    }
    if (!taken) return std::nullopt;
  }
  return fields;
}

std::string WriteFields(const std::vector<WireField>& fields) {
  std::string bytes;
  for (const WireField& field : fields) {
    PutVarint(bytes, static_cast<uint64_t>(field.id) << 3 | static_cast<uint64_t>(field.kind));
    switch (field.kind) {
      case WireField::kVarint: PutVarint(bytes, field.number); break;
      case WireField::kEight: PutFixed(bytes, 8, field.number); break;
      case WireField::kFour: PutFixed(bytes, 4, field.number); break;
      case WireField::kLength:
        PutVarint(bytes, field.bytes.size());
        bytes += field.bytes;
    }
  }
  return bytes;
}

std::optional<std::vector<std::string>> ReadRecords(std::string_view rest) {
  std::vector<std::string> records;
  while (!rest.empty()) {
    if (!TakeBytes(rest, records.emplace_back())) return std::nullopt;
  }
  return records;
}

std::string WriteRecords(const std::vector<std::string>& records) {
  std::string bytes;
  for (const std::string& record : records) {
    PutVarint(bytes, record.size());
    bytes += record;
  }
  return bytes;
}

}  // namespace reprise::fuzz
