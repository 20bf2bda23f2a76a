// Selectors: any text is parsed; what was parsed is bound and matched, and its opposite matches the other hosts.
#include <array>

#include "core/plan/selector.h"
#include "tests/fuzz/target.h"

namespace reprise::fuzz {
namespace {

using plan::HostFacts;
using plan::Selector;
using plan::SelectorError;
namespace mv1 = ::reprise::model::v1;

const std::string* LabelOf(std::string_view key) {
  static const std::string nord = "nord";
  return key == "site" ? &nord : nullptr;
}

const std::array<HostFacts, 2>& SomeHosts() {
  static const std::array<HostFacts, 2> hosts = {
      HostFacts{.name = "ws-1", .zone = mv1::ZONE_DIRTY, .asset_class = mv1::ASSET_CLASS_WORKSTATION,
                .trust = mv1::TRUST_STATE_SUSPECT, .agent = true, .label = LabelOf},
      HostFacts{.name = "ct-1", .zone = mv1::ZONE_BIOMEDICAL, .asset_class = mv1::ASSET_CLASS_MODALITY,
                .trust = mv1::TRUST_STATE_UNKNOWN, .agent = false, .label = [](std::string_view) { return nullptr; }},
  };
  return hosts;
}

bool Bind(Selector& selector) {
  SelectorError error;
  return selector.Bind([](const std::string& name) { return std::vector<std::string>{name, "ws-1", "nord"}; }, error).ok();
}

void Try(std::string_view text) {
  SelectorError error;
  auto selector = Selector::Parse(text, error);
  if (!selector.ok()) {
    Check(error.offset <= text.size(), "an error stands inside the text", selector.status().ToString());
    return;
  }
  for (const Selector::Reference& reference : selector->References()) {
    Check(reference.offset < text.size(), "a reference stands inside the text", reference.text);
  }
  // One level deeper and a little longer may be too much; then there is no opposite.
  auto opposite = Selector::Parse("not (" + std::string(text) + "\n)");
  if (!Bind(*selector)) return;
  if (opposite.ok() && !Bind(*opposite)) Check(false, "what can be bound can be bound in brackets");
  for (const HostFacts& host : SomeHosts()) {
    const bool matches = selector->Matches(host);
    if (opposite.ok()) Check(opposite->Matches(host) != matches, "a host matches a selector or its opposite");
  }
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
