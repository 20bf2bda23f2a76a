#include "core/engine/declared_host.h"

#include "absl/strings/str_cat.h"
#include "core/model/names.h"
#include "core/model/size_limits.h"

namespace reprise::engine {

absl::Status CheckDeclared(const journal::v1::InventoryHost& host) {
  const auto wrong = [&](auto&&... what) { return absl::InvalidArgumentError(absl::StrCat(what...)); };
  if (!model::IsName(host.name())) {
    return wrong("\"", host.name(), "\" is no name of a host: a-z, 0-9, '-' and '.', at most ", model::kNameMax);
  }
  if (host.zone() == model::v1::ZONE_UNSPECIFIED) return wrong("host ", host.name(), " has no zone");
  if (host.asset_class() == model::v1::ASSET_CLASS_UNSPECIFIED) return wrong("host ", host.name(), " has no class");
  // A newer command line may know more of them.
  if (!model::v1::Zone_IsValid(host.zone())) return wrong("host ", host.name(), ": zone ", host.zone(), " is not known");
  if (!model::v1::AssetClass_IsValid(host.asset_class())) {
    return wrong("host ", host.name(), ": class ", host.asset_class(), " is not known");
  }
  if (!model::v1::TrustState_IsValid(host.trust())) {
    return wrong("host ", host.name(), ": trust ", host.trust(), " is not known");
  }
  if (host.address().size() > model::kAddressMax) {
    return wrong("host ", host.name(), " has an address of ", host.address().size(), " bytes; at most ",
                 model::kAddressMax, " are taken");
  }
  if (host.labels_size() > model::kLabelsMax) {
    return wrong("host ", host.name(), " has ", host.labels_size(), " labels; at most ", model::kLabelsMax, " are taken");
  }
  for (const auto& label : host.labels()) {
    if (label.key().size() <= model::kNameMax && label.value().size() <= model::kLabelValueMax) continue;
    return wrong("host ", host.name(), " has a label of ", label.key().size(), " and ", label.value().size(),
                 " bytes, key and value; at most ", model::kNameMax, " and ", model::kLabelValueMax, " are taken");
  }
  return absl::OkStatus();
}

}  // namespace reprise::engine
