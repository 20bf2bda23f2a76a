// The words of the vocabulary as text: "medical_device" for ASSET_CLASS_MEDICAL_DEVICE, and back. And what a name of a
// host or a person may look like, so that it can stand in a file name, a certificate, a selector and a signed text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reprise/model/v1/model.pb.h"

namespace reprise::model {

inline constexpr size_t kNameMax = 64;
// Of a host or an operator: a-z, 0-9, '-' and '.', at most 64, not starting with '-' or '.'.
bool IsName(std::string_view text);

// Lower case, without the enumeration's prefix; "unspecified" for zero.
// Defined for every enumeration of model.proto.
template <typename Enum>
std::string NameOf(Enum value);

// Never gives the unspecified value.
template <typename Enum>
std::optional<Enum> FromName(std::string_view name);

// All legal names, in the order of the numbers.
template <typename Enum>
std::vector<std::string> NamesOf();

}  // namespace reprise::model

#include "core/model/names_inl.h"
