// The hosts that people declared: the denominator of every percentage. Plain values; what the coordinator knows of a host
// today is laid over it elsewhere (targets.h).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/model/names.h"
#include "core/plan/diagnostics.h"
#include "core/plan/node.h"

namespace reprise::plan {

using Labels = std::vector<std::pair<std::string, std::string>>;  // Few per host; sorted by key.

struct Host {
  std::string name;
  model::v1::AssetClass asset_class = model::v1::ASSET_CLASS_UNSPECIFIED;
  model::v1::Zone zone = model::v1::ZONE_UNSPECIFIED;
  model::v1::TrustState trust = model::v1::TRUST_STATE_UNKNOWN;
  bool agent = true;     // Can ever carry an agent.
  std::string address;   // May be empty.
  Labels labels;
  Place place;           // Of its name in the document, or of its group.

  // nullptr: no such label.
  const std::string* Label(std::string_view key) const;
};

struct Inventory {
  static constexpr size_t kHostsMax = 1'000'000;

  std::string name;   // Of the first Inventory document.
  std::string title;
  std::vector<Host> hosts;  // In the order of the documents.
  std::unordered_map<std::string, uint32_t> index;  // Name to place in `hosts`.

  const Host* Find(const std::string& host) const;
};

// False where no agent can ever run, unless the document says otherwise.
bool ClassCarriesAgent(model::v1::AssetClass asset_class);

// One item of `hosts:` or `groups:`; what is wrong is reported, and the hosts that are right are added.
void ReadHost(const Node& node, Inventory& inventory, Diagnostics& diagnostics);
void ReadGroup(const Node& node, Inventory& inventory, Diagnostics& diagnostics);

}  // namespace reprise::plan
