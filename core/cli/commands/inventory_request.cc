#include "core/cli/commands/inventory_request.h"

#include <algorithm>
#include <unordered_map>

namespace reprise::cli {
namespace {

bool SameLabels(const plan::Host& host, const ops::HostView& view) {
  std::vector<std::pair<std::string, std::string>> known;
  for (const auto& label : view.labels()) known.emplace_back(label.key(), label.value());
  std::sort(known.begin(), known.end());
  plan::Labels declared = host.labels;
  std::sort(declared.begin(), declared.end());
  return known == declared;
}

bool IsSo(const plan::Host& host, const ops::HostView& view) {
  const bool places = view.admitted() || (view.zone() == host.zone && view.asset_class() == host.asset_class &&
                                          view.trust() == host.trust);
  // Of a host that has joined, the address is the one it came from.
  const bool address = view.enrolled() || view.address() == host.address;
  return view.in_inventory() && places && address && view.agent_expected() == host.agent && SameLabels(host, view);
}

}  // namespace

ops::ImportInventoryRequest InventoryRequest(const plan::Inventory& inventory, const std::string& source) {
  ops::ImportInventoryRequest request;
  request.set_source(source);
  for (const plan::Host& host : inventory.hosts) {
    auto& declared = *request.add_hosts();
    declared.set_name(host.name);
    declared.set_zone(host.zone);
    declared.set_asset_class(host.asset_class);
    declared.set_trust(host.trust);
    declared.set_address(host.address);
    declared.set_agent_expected(host.agent);
    for (const auto& [key, value] : host.labels) {
      auto& label = *declared.add_labels();
      label.set_key(key);
      label.set_value(value);
    }
  }
  return request;
}

InventoryDifference CompareInventory(const plan::Inventory& inventory, const std::vector<ops::HostView>& known) {
  InventoryDifference difference;
  std::unordered_map<std::string, const ops::HostView*> by_name;
  for (const auto& view : known) {
    by_name[view.name()] = &view;
    if (view.in_inventory() && inventory.Find(view.name()) == nullptr) difference.absent.push_back(view.name());
  }
  for (const plan::Host& host : inventory.hosts) {
    const auto found = by_name.find(host.name);
    if (found == by_name.end()) {
      difference.added += 1;
    } else if (!IsSo(host, *found->second)) {
      difference.changed += 1;
    }
  }
  return difference;
}

}  // namespace reprise::cli
