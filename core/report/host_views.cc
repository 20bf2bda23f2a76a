#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/hosts_ahead.h"
#include "core/report/host_facts.h"
#include "core/report/views.h"

namespace reprise::report {

namespace internal {

plan::HostFacts FactsOf(const journal::v1::HostRecord& host) {
  plan::HostFacts facts;
  facts.name = host.declared().name();
  facts.zone = host.zone();
  facts.asset_class = host.asset_class();
  facts.trust = host.trust();
  facts.agent = host.declared().agent_expected();
  facts.label = [&host](std::string_view key) -> const std::string* {
    for (const auto& label : host.declared().labels()) {
      if (label.key() == key) return &label.value();
    }
    return nullptr;
  };
  return facts;
}

}  // namespace internal

operators::v1::HostView ViewOfHost(const journal::v1::HostRecord& host, bool with_facts) {
  operators::v1::HostView view;
  view.set_name(host.declared().name());
  view.set_zone(host.zone());
  view.set_asset_class(host.asset_class());
  view.set_trust(host.trust());
  view.set_hold(host.hold());
  view.set_in_inventory(host.in_inventory());
  view.set_enrolled(host.enrolled());
  view.set_admitted(host.has_statement());
  view.set_connected(host.session() != 0);
  view.set_last_contact_ms(host.last_contact_ms());
  *view.mutable_labels() = host.declared().labels();
  view.set_address(host.address().empty() ? host.declared().address() : host.address());
  view.set_agent_version(host.agent_version());
  view.set_statement_serial(host.statement_serial());
  view.set_statement_serial_seen(engine::HighestStatementSerial(host));
  for (const auto& claim : host.claims()) {
    auto& shown = *view.add_claims();
    shown.set_name(claim.name());
    shown.set_state(claim.state());
    shown.set_detail(claim.detail());
    shown.set_at_ms(claim.at_ms());
    shown.set_run(claim.run());
  }
  for (const auto& record : host.measures()) {
    auto& shown = *view.add_measures();
    shown.set_name(record.measure().name());
    shown.set_subject(record.measure().subject());
    shown.set_value(record.measure().value());
    shown.set_at_ms(record.at_ms());
  }
  if (with_facts) view.set_facts_json(host.facts_json());
  view.set_facts_ms(host.facts_ms());
  view.set_agent_expected(host.declared().agent_expected());
  view.set_keyring_version(host.keyring_version());
  view.set_expelled_ms(host.expelled_ms());
  view.set_expelled_by(host.expelled_by());
  view.set_expelled_reason(host.expelled_reason());
  view.set_contested_ms(host.contested_ms());
  view.set_contested_between(host.contested_between());
  return view;
}

absl::StatusOr<operators::v1::HostList> ViewOfHosts(const engine::Engine& engine, const std::string& selector) {
  ASSIGN_OR_RETURN(const plan::Selector chosen, plan::Selector::Parse(selector.empty() ? "all" : selector));
  operators::v1::HostList list;
  for (const auto& host : engine.state().hosts()) {
    if (chosen.Matches(internal::FactsOf(host))) *list.add_hosts() = ViewOfHost(host, /*with_facts=*/false);
  }
  return list;
}

}  // namespace reprise::report
