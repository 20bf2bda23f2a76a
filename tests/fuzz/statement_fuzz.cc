// The texts that people sign: whatever is read, written again gives the same bytes. And what stands in a keyring's text,
// signed by those who may, either extends the keyring or leaves it as it was.
#include "core/crypto/statement.h"

#include "core/model/keyring_text.h"
#include "core/model/statements.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

template <typename Read>
void ReadAndWrite(const Read& read, std::string_view bytes, const char* what) {
  const auto statement = read(bytes);
  if (statement.ok()) Check(statement->Write().Bytes() == bytes, "what was read is written the same:", what);
}

void TryKeyring(const std::string& bytes) {
  const auto text = model::internal::ReadKeyringText(bytes);
  if (!text.ok()) return;
  Check(model::internal::WriteKeyringText(*text).Bytes() == bytes, "what was read is written the same: a keyring");
  const plan::v1::SignedStatement signed_statement = [&] {
    plan::v1::SignedStatement all;
    all.set_statement(bytes);
    *all.add_signatures() = TheWorld().people.Sign(bytes, "alice");
    return all;
  }();
  const auto first = model::Keyring::Found(signed_statement, "");
  if (first.ok()) Check(first->version() == 1, "a chain begins with version 1");
  model::Keyring keyring = TheWorld().people.Keyring();
  const std::string head = keyring.head();
  const uint32_t version = keyring.version();
  if (keyring.Extend(signed_statement).ok()) {
    Check(keyring.version() == version + 1 && keyring.head() != head, "a keyring grows by one version");
  } else {
    Check(keyring.version() == version && keyring.head() == head, "a refused version leaves the keyring as it was");
    Check(keyring.operators().size() == 3, "a refused version leaves the operators as they were");
  }
}

void Try(std::string_view bytes) {
  const auto statement = crypto::Statement::Parse(bytes);
  if (!statement.ok()) {
    Check(!model::PlanStatement::Read(bytes).ok() && !model::GateStatement::Read(bytes).ok() &&
              !model::HostStatement::Read(bytes).ok() && !model::internal::ReadKeyringText(bytes).ok(),
          "what is no statement is none of any kind");
    return;
  }
  Check(statement->Bytes() == bytes, "a statement is written as it was read");
  crypto::Statement again(statement->kind());
  for (const auto& [key, value] : statement->fields()) again.Add(key, value);
  Check(again.Bytes() == bytes, "a statement put together again is the same");
  ReadAndWrite(model::PlanStatement::Read, bytes, "a plan");
  ReadAndWrite(model::GateStatement::Read, bytes, "a gate");
  ReadAndWrite(model::HostStatement::Read, bytes, "a host");
  TryKeyring(std::string(bytes));
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
