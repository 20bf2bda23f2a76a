// The words of the vocabulary as text: "medical_device" for ASSET_CLASS_MEDICAL_DEVICE, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reprise/model/v1/model.pb.h"

namespace reprise::model {

namespace v1 = ::reprise::model::v1;

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
