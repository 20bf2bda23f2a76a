// A dossier's inventory as the coordinator is told it, and whether that would change anything there.
#pragma once

#include <string>
#include <vector>

#include "core/cli/context.h"
#include "core/plan/inventory.h"

namespace reprise::cli {

ops::ImportInventoryRequest InventoryRequest(const plan::Inventory& inventory, const std::string& source);

struct InventoryDifference {
  size_t added = 0;
  size_t changed = 0;
  std::vector<std::string> absent;  // In the coordinator's inventory, and not in this one.

  bool any() const { return added + changed + absent.size() > 0; }
};
// What people signed about a host stands above what is declared: of an admitted host its zone, class and trust are not
// compared.
InventoryDifference CompareInventory(const plan::Inventory& inventory, const std::vector<ops::HostView>& known);

}  // namespace reprise::cli
