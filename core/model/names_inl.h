// The bodies of names.h: by protobuf's reflection, so that a new word needs no second list. Included by names.h only.
#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <algorithm>
#include <cctype>

namespace reprise::model {
namespace internal {

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// "ASSET_CLASS_UNSPECIFIED" tells the prefix that all values share.
template <typename Enum>
size_t PrefixLength() {
  const auto* descriptor = google::protobuf::GetEnumDescriptor<Enum>();
  return descriptor->FindValueByNumber(0)->name().size() - std::string_view("UNSPECIFIED").size();
}

}  // namespace internal

template <typename Enum>
std::string NameOf(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(static_cast<int>(value));
  if (found == nullptr) return "unspecified";
  return internal::Lower(std::string_view(found->name()).substr(internal::PrefixLength<Enum>()));
}

template <typename Enum>
std::optional<Enum> FromName(std::string_view name) {
  const auto* descriptor = google::protobuf::GetEnumDescriptor<Enum>();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto value = static_cast<Enum>(descriptor->value(i)->number());
    if (descriptor->value(i)->number() != 0 && NameOf(value) == name) return value;
  }
  return std::nullopt;
}

template <typename Enum>
std::vector<std::string> NamesOf() {
  std::vector<std::string> names;
  const auto* descriptor = google::protobuf::GetEnumDescriptor<Enum>();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    if (descriptor->value(i)->number() != 0) names.push_back(NameOf(static_cast<Enum>(descriptor->value(i)->number())));
  }
  return names;
}

}  // namespace reprise::model
