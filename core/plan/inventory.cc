#include "core/plan/inventory.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"
#include "core/model/size_limits.h"
#include "core/plan/fields.h"

namespace reprise::plan {
namespace {

using model::kAddressMax;
using model::kLabelsMax;
using model::kLabelValueMax;

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= model::kNameMax && std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_' || c == '.';
  });
}

Labels ReadLabels(const Node& node, Diagnostics& diagnostics) {
  Labels labels;
  if (node.kind != Node::Kind::kMap) {
    diagnostics.Error(node.place, absl::StrCat("labels is ", node.Describe())).Expected("a map of keys and values");
    return labels;
  }
  if (node.entries.size() > static_cast<size_t>(kLabelsMax)) {
    diagnostics.Error(node.place, absl::StrCat(node.entries.size(), " labels")).Expected(absl::StrCat("at most ", kLabelsMax));
  }
  for (const NodeEntry& entry : node.entries) {
    if (!IsLabelKey(entry.key)) {
      diagnostics.Error(entry.key_place, absl::StrCat("the label is called \"", entry.key, "\""))
          .Expected("a-z, 0-9, '-', '_' and '.', at most 64");
    } else if (entry.value.kind != Node::Kind::kScalar || entry.value.IsNull()) {
      diagnostics.Error(entry.value.place, absl::StrCat("the label ", entry.key, " is ", entry.value.Describe()))
          .Expected("a text");
    } else if (entry.value.text.size() > kLabelValueMax ||
               crypto::FindUnplain(entry.value.text) != std::string_view::npos) {
      diagnostics.Error(entry.value.place, absl::StrCat("the label ", entry.key, " is ", entry.value.Describe()))
          .Expected(absl::StrCat("a plain text of at most ", kLabelValueMax, " bytes"));
    } else {
      labels.emplace_back(entry.key, entry.value.text);
    }
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

// What hosts and groups have in common. Nullopt when it has no class or zone.
std::optional<Host> ReadTraits(Fields& fields) {
  Host host;
  const auto asset_class = fields.Word<model::v1::AssetClass>("class", Need::kRequired);
  const auto zone = fields.Word<model::v1::Zone>("zone", Need::kRequired);
  const auto trust = fields.Word<model::v1::TrustState>("trust");
  const auto agent = fields.Bool("agent");
  if (const Node* labels = fields.Find("labels"); labels != nullptr) host.labels = ReadLabels(*labels, fields.diagnostics());
  if (!asset_class || !zone) return std::nullopt;
  host.asset_class = *asset_class;
  host.zone = *zone;
  host.trust = trust.value_or(model::v1::TRUST_STATE_UNKNOWN);
  host.agent = agent.value_or(ClassCarriesAgent(*asset_class));
  return host;
}

void AddHost(Host host, Inventory& inventory, Diagnostics& diagnostics) {
  const auto [found, is_new] = inventory.index.emplace(host.name, static_cast<uint32_t>(inventory.hosts.size()));
  if (!is_new) {
    diagnostics.Error(host.place, absl::StrCat("the host ", host.name, " is declared a second time"))
        .Hint(absl::StrCat("the first is at ", diagnostics.NameOf(inventory.hosts[found->second].place)));
    return;
  }
  if (inventory.hosts.size() >= Inventory::kHostsMax) {
    diagnostics.Error(host.place, "one host too many").Expected(absl::StrCat("at most ", Inventory::kHostsMax, " hosts"));
    return;
  }
  inventory.hosts.push_back(std::move(host));
}

}  // namespace

const std::string* Host::Label(std::string_view key) const {
  for (const auto& [label, value] : labels) {
    if (label == key) return &value;
  }
  return nullptr;
}

const Host* Inventory::Find(const std::string& host) const {
  const auto found = index.find(host);
  return found == index.end() ? nullptr : &hosts[found->second];
}

bool ClassCarriesAgent(model::v1::AssetClass asset_class) {
  switch (asset_class) {
    case model::v1::ASSET_CLASS_PRINTER:
    case model::v1::ASSET_CLASS_NETWORK:
    case model::v1::ASSET_CLASS_MEDICAL_DEVICE:
    case model::v1::ASSET_CLASS_MODALITY:
    case model::v1::ASSET_CLASS_TELEPHONY:
    case model::v1::ASSET_CLASS_BUILDING:
      return false;
    default:
      return true;
  }
}

void ReadHost(const Node& node, Inventory& inventory, Diagnostics& diagnostics) {
  Fields fields(node, "a host", diagnostics);
  if (node.kind != Node::Kind::kMap) return;
  const Placed name = fields.Name("name", Need::kRequired);
  std::optional<Host> host = ReadTraits(fields);
  const Placed address = fields.Text("address");
  fields.Done();
  const bool plain_address = address.text.size() <= kAddressMax && std::all_of(address.text.begin(), address.text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == ':' || c == '-' || c == '[' || c == ']' || c == '%';
  });
  if (!plain_address) {
    diagnostics.Error(address.place, absl::StrCat("address is \"", address.text, "\"")).Expected("an IP address or a host's name");
    return;
  }
  if (!host || name.text.empty()) return;
  host->name = name.text;
  host->place = name.place;
  host->address = address.text;
  AddHost(*std::move(host), inventory, diagnostics);
}

void ReadGroup(const Node& node, Inventory& inventory, Diagnostics& diagnostics) {
  Fields fields(node, "a group", diagnostics);
  if (node.kind != Node::Kind::kMap) return;
  const Placed prefix = fields.Text("prefix", Need::kRequired);
  fields.Find("count", Need::kRequired);
  const auto count = fields.Count("count", 1, Inventory::kHostsMax);
  const uint32_t from = fields.Count("from", 0, 1'000'000'000).value_or(1);
  const auto digits = fields.Count("digits", 1, 12);
  std::optional<Host> host = ReadTraits(fields);
  fields.Done();
  if (!host || !count || prefix.text.empty()) return;
  const auto name_of = [&](uint64_t number) {
    std::string text = absl::StrCat(number);
    if (digits && text.size() < *digits) text.insert(0, *digits - text.size(), '0');
    return prefix.text + text;
  };
  if (!model::IsName(name_of(uint64_t{from} + *count - 1))) {
    diagnostics.Error(prefix.place, absl::StrCat("prefix is \"", prefix.text, "\""))
        .Expected("a-z, 0-9, '-' and '.', at most 64 with the number, beginning with a letter or digit");
    return;
  }
  inventory.hosts.reserve(inventory.hosts.size() + *count);
  host->place = prefix.place;
  for (uint32_t i = 0; i < *count; ++i) {
    const size_t errors = diagnostics.errors();
    host->name = name_of(uint64_t{from} + i);
    AddHost(*host, inventory, diagnostics);
    if (diagnostics.errors() > errors) return;  // One clash tells it all.
  }
}

}  // namespace reprise::plan
