#include "core/engine/keyring_change.h"

#include "core/base/status_macros.h"
#include "core/engine/hosts_ahead.h"

namespace reprise::engine {
namespace {

void PutInForce(Desk& desk, const plan::v1::SignedStatement& next) {
  journal::v1::Event event;
  *event.mutable_keyring_extended()->mutable_statement() = next;
  desk.Emit(std::move(event));
  for (const auto& host : desk.book().hosts()) {
    agent::v1::CoordinatorMessage message;
    *message.mutable_keyring()->add_statements() = next;
    desk.Send(*host, std::move(message));
  }
}

}  // namespace

absl::Status ChangeKeyring(Desk& desk, const plan::v1::SignedStatement& next) {
  if (const model::Keyring* known = desk.keyring()) {
    RETURN_IF_ERROR(CheckKeyringIsNewest(desk.book().state()));
    model::Keyring longer = *known;
    RETURN_IF_ERROR(longer.Extend(next));
  } else {
    RETURN_IF_ERROR(model::Keyring::Found(next, "").status());
  }
  PutInForce(desk, next);
  return absl::OkStatus();
}

void TakeKeyringBack(Desk& desk, const agent::v1::KeyringUpdate& brought) {
  if (desk.keyring() == nullptr) return;
  for (const auto& statement : brought.statements()) {
    model::Keyring longer = *desk.keyring();
    if (longer.Extend(statement).ok()) PutInForce(desk, statement);
  }
}

}  // namespace reprise::engine
