#include "core/model/statements.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/statement_reader.h"

namespace reprise::model {
namespace {

using crypto::Statement;
using internal::StatementReader;

constexpr char kPlanKind[] = "reprise-plan/v1";
constexpr char kGateKind[] = "reprise-gate/v1";
constexpr char kHostKind[] = "reprise-host/v1";
constexpr size_t kNonceSize = 16;

std::string YesOrNo(bool yes) {
  return yes ? "yes" : "no";
}

}  // namespace

Statement PlanStatement::Write() const {
  Statement statement(kPlanKind);
  statement.Add("plan", plan_id)
      .Add("workflow", workflow)
      .Add("requester", requester)
      .Add("keyring-version", absl::StrCat(keyring_version))
      .Add("effect", NameOf(effect))
      .Add("exercise", YesOrNo(exercise))
      .Add("hosts", absl::StrCat(hosts))
      .Add("created", FormatTime(created))
      .Add("expires", FormatTime(expires))
      .Add("nonce", ToHex(nonce))
      .Add("header-sha256", ToHex(header_sha256))
      .Add("merkle-root", ToHex(merkle_root));
  return statement;
}

absl::StatusOr<PlanStatement> PlanStatement::Read(std::string_view bytes) {
  StatementReader reader(bytes, kPlanKind);
  PlanStatement plan;
  plan.plan_id = reader.Text("plan");
  plan.workflow = reader.Text("workflow");
  plan.requester = reader.Name("requester");
  plan.keyring_version = reader.Number<uint32_t>("keyring-version");
  plan.effect = reader.Word<v1::Effect>("effect");
  plan.exercise = reader.Yes("exercise");
  plan.hosts = reader.Number<uint32_t>("hosts");
  plan.created = reader.Time("created");
  plan.expires = reader.Time("expires");
  plan.nonce = reader.Hex("nonce", kNonceSize);
  plan.header_sha256 = reader.Hex("header-sha256", crypto::kSha256Size);
  plan.merkle_root = reader.Hex("merkle-root", crypto::kSha256Size);
  RETURN_IF_ERROR(reader.Finish(plan.Write()));
  return plan;
}

Statement GateStatement::Write() const {
  Statement statement(kGateKind);
  statement.Add("plan", plan_id)
      .Add("merkle-root", ToHex(merkle_root))
      .Add("run", absl::StrCat(run))
      .Add("gate", gate)
      .Add("decision", waive ? "waive" : "approve");
  if (!reason.empty()) statement.Add("reason", reason);
  if (expires != 0) statement.Add("expires", FormatTime(expires));
  statement.Add("signer", signer).Add("issued", FormatTime(issued));
  return statement;
}

absl::StatusOr<GateStatement> GateStatement::Read(std::string_view bytes) {
  StatementReader reader(bytes, kGateKind);
  GateStatement decision;
  decision.plan_id = reader.Text("plan");
  decision.merkle_root = reader.Hex("merkle-root", crypto::kSha256Size);
  decision.run = reader.Number<uint64_t>("run");
  decision.gate = reader.Text("gate");
  const std::string word = reader.Text("decision");
  if (word != "waive" && word != "approve") reader.Fail("decision", word, "approve or waive");
  decision.waive = word == "waive";
  decision.reason = reader.OptionalText("reason");
  decision.expires = reader.OptionalTime("expires");
  decision.signer = reader.Name("signer");
  decision.issued = reader.Time("issued");
  reader.Require(!decision.waive || !decision.reason.empty(), "a waiver needs a reason");
  reader.Require(!decision.waive || decision.expires != 0, "a waiver needs a time at which it expires");
  RETURN_IF_ERROR(reader.Finish(decision.Write()));
  return decision;
}

Statement HostStatement::Write() const {
  Statement statement(kHostKind);
  statement.Add("host", host)
      .Add("serial", absl::StrCat(serial))
      .Add("zone", NameOf(zone))
      .Add("class", NameOf(asset_class))
      .Add("trust", NameOf(trust));
  if (!hold.empty()) statement.Add("hold", hold);
  statement.Add("issued", FormatTime(issued));
  return statement;
}

absl::StatusOr<HostStatement> HostStatement::Read(std::string_view bytes) {
  StatementReader reader(bytes, kHostKind);
  HostStatement host;
  host.host = reader.Name("host");
  host.serial = reader.Number<uint64_t>("serial");
  host.zone = reader.Word<v1::Zone>("zone");
  host.asset_class = reader.Word<v1::AssetClass>("class");
  host.trust = reader.Word<v1::TrustState>("trust");
  host.hold = reader.OptionalText("hold");
  host.issued = reader.Time("issued");
  reader.Require(host.serial > 0, "serials are counted from 1");
  RETURN_IF_ERROR(reader.Finish(host.Write()));
  return host;
}

}  // namespace reprise::model
