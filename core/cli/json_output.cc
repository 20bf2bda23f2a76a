#include "core/cli/json_output.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"

namespace reprise::cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// "ASSET_CLASS_MEDICAL_DEVICE" of AssetClass -> "medical_device".
std::string WordOf(const EnumValueDescriptor& value) {
  // The zero of every enumeration is "<PREFIX>_UNSPECIFIED": it tells the prefix.
  const std::string zero = value.type()->value(0)->name();
  const size_t prefix = zero.size() - std::string_view("UNSPECIFIED").size();
  return absl::AsciiStrToLower(value.name().substr(prefix));
}

Json BytesOf(const FieldDescriptor& field, const std::string& bytes) {
  const std::string& name = field.name();
  for (const char* hex : {"sha256", "hash", "root", "nonce", "proof"}) {
    if (absl::EndsWith(name, hex)) return ToHex(bytes);
  }
  if (name == "statement") {
    std::string lines = bytes;
    for (char& c : lines) {
      if (c == '\n') c = ' ';
    }
    if (crypto::FindUnplain(lines) == std::string::npos) return bytes;
  }
  return ToBase64(bytes);
}

Json ValueOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& get = *message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? get.GetRepeatedInt32(message, &field, index) : get.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? get.GetRepeatedInt64(message, &field, index) : get.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? get.GetRepeatedUInt32(message, &field, index) : get.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? get.GetRepeatedUInt64(message, &field, index) : get.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return many ? get.GetRepeatedDouble(message, &field, index) : get.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return many ? get.GetRepeatedFloat(message, &field, index) : get.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? get.GetRepeatedBool(message, &field, index) : get.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      const int number = many ? get.GetRepeatedEnumValue(message, &field, index) : get.GetEnumValue(message, &field);
      const EnumValueDescriptor* value = type.FindValueByNumber(number);
      return value == nullptr ? Json(number) : Json(WordOf(*value));
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          many ? get.GetRepeatedString(message, &field, index) : get.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? BytesOf(field, text) : Json(text);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(many ? get.GetRepeatedMessage(message, &field, index) : get.GetMessage(message, &field));
  }
  return nullptr;
}

}  // namespace

Json ToJson(const Message& message) {
  const auto& type = *message.GetDescriptor();
  const Reflection& get = *message.GetReflection();
  Json object = Json::object();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated()) {
      Json list = Json::array();
      for (int k = 0; k < get.FieldSize(message, &field); ++k) list.push_back(ValueOf(message, field, k));
      object[field.name()] = std::move(list);
    } else if (field.containing_oneof() != nullptr) {
      // Of several possible parts the one that is there; its name says which.
      if (get.HasField(message, &field)) object[field.name()] = ValueOf(message, field, -1);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !get.HasField(message, &field)) {
      object[field.name()] = nullptr;
    } else {
      object[field.name()] = ValueOf(message, field, -1);
    }
  }
  return object;
}

}  // namespace reprise::cli
