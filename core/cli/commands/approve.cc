#include <algorithm>
#include <filesystem>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/deciders.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/commands/refusal.h"
#include "core/cli/commands/submitted_plan.h"
#include "core/cli/signing.h"
#include "core/plan/explain.h"

namespace reprise::cli {
namespace {

constexpr size_t kNamesShown = 6;

struct ApproveFlags {
  std::string plan;
  std::string export_file;
  std::string signature_file;
};

std::string SignedBy(const ops::PlanView& view) {
  return view.signers().empty() ? "nobody yet" : absl::StrJoin(view.signers(), ", ");
}

uint32_t Wanting(const ops::PlanView& view) {
  const auto have = static_cast<uint32_t>(view.signers_size());
  return view.signatures_needed() > have ? view.signatures_needed() - have : 0;
}

// Shown wherever somebody is to decide, also when programs read the result.
absl::Status Show(Context& context, const SubmittedPlan& plan) {
  ASSIGN_OR_RETURN(const std::string told, plan::ExplainPlan(plan.view.bundle(), context.cut() ? kNamesShown : 0));
  std::ostream& out = context.json() ? context.terminal.err() : context.terminal.out();
  out << told << "\nWhat is signed:\n\n";
  size_t at = 0;
  const std::string& statement = plan.index.statement_bytes;
  while (at < statement.size()) {
    const size_t end = std::min(statement.find('\n', at), statement.size());
    out << "    " << statement.substr(at, end - at) << '\n';
    at = end + 1;
  }
  out << "\nSigned by " << SignedBy(plan.view) << "; wanted: " << plan.view.signatures_needed();
  const auto deciders = MissingDeciders(plan.index.header, plan.view.signers());
  if (!deciders.empty()) out << ", and among them " << NamedDeciders(deciders);
  out << '\n';
  return absl::OkStatus();
}

absl::StatusOr<int> Tell(Context& context, const plan::v1::PlanHeader& header, ops::PlanView view, const std::string& done) {
  if (context.json()) {
    view.clear_bundle();
    context.PrintJson(view);
    return kExitOk;
  }
  context.Say(absl::StrCat(done, "; signed by ", SignedBy(view)));
  const uint32_t wanting = Wanting(view);
  const auto deciders = MissingDeciders(header, view.signers());
  if (wanting > 0) {
    context.Say(absl::StrCat(wanting, " more of ", view.signatures_needed(),
                             " signature(s) wanted, of other people: `reprise approve ", view.plan_id(), "`"));
  }
  if (!deciders.empty()) {
    context.Say(absl::StrCat("who decided must sign, and has not: ", NamedDeciders(deciders), ": `reprise approve ",
                             view.plan_id(), "`. Until then nothing is restored from that copy"));
  }
  if (wanting == 0 && deciders.empty()) {
    context.Say(absl::StrCat("that is enough: `reprise run start ", view.plan_id(), "`"));
  }
  return kExitOk;
}

absl::StatusOr<int> Export(Context& context, const SubmittedPlan& plan, const std::string& file) {
  RETURN_IF_ERROR(WriteFileDurably(file, plan.index.statement_bytes));
  context.Note(absl::StrCat("written to ", file, "\nOn the machine that has the key: minisign -S -s KEY -m ",
                            std::filesystem::path(file).filename().string(), "\nThen, here: reprise approve ",
                            plan.index.statement.plan_id, " --signature ", file, ".minisig"));
  return kExitOk;
}

absl::StatusOr<plan::v1::Signature> Sign(Context& context, const SubmittedPlan& plan, const Profile& profile) {
  RETURN_IF_ERROR(
      context.Confirm(absl::StrCat("Sign plan ", plan.index.statement.plan_id, " as ", profile.operator_name, "?")));
  ASSIGN_OR_RETURN(const crypto::SecretKey key, LoadMySigningKey(context));
  return SignBytes(context, key, profile.operator_name, plan.index.statement_bytes, "reprise-plan/v1");
}

// Who signed. A signature that does not count is not sent.
absl::StatusOr<std::string> SignerOf(const SubmittedPlan& plan, const plan::v1::Signature& signature) {
  plan::v1::SignedStatement statement;
  statement.set_statement(plan.index.statement_bytes);
  *statement.add_signatures() = signature;
  auto signers = plan.keyring.Signers(statement);
  if (!signers.ok()) return AsRefusal(signers.status());
  if (signers->empty()) {
    return absl::PermissionDeniedError(
        "the signature is of no active key of the site's keyring; it was not sent. `reprise key ls` lists them");
  }
  return signers->front();
}

absl::StatusOr<int> Run(Context& context, const ApproveFlags& flags) {
  ASSIGN_OR_RETURN(const Profile* profile, context.profile());
  ASSIGN_OR_RETURN(Client* client, context.client());
  ASSIGN_OR_RETURN(const SubmittedPlan plan, FetchPlan(context, flags.plan));
  if (!flags.export_file.empty()) {
    RETURN_IF_ERROR(Show(context, plan));
    return Export(context, plan, flags.export_file);
  }
  plan::v1::Signature signature;
  if (!flags.signature_file.empty()) {
    ASSIGN_OR_RETURN(*signature.mutable_minisig(), ReadFile(flags.signature_file));
  } else {
    RETURN_IF_ERROR(Show(context, plan));
    const auto& signers = plan.view.signers();
    if (std::find(signers.begin(), signers.end(), profile->operator_name) != signers.end()) {
      return Tell(context, plan.index.header, plan.view, "you have signed it already");
    }
    ASSIGN_OR_RETURN(signature, Sign(context, plan, *profile));
  }
  ASSIGN_OR_RETURN(const std::string signer, SignerOf(plan, signature));
  if (flags.signature_file.empty() && signer != profile->operator_name) {
    return absl::PermissionDeniedError(absl::StrCat("your signing key is that of ", signer,
                                                    ", and your profile that of ", profile->operator_name,
                                                    "; nothing was sent"));
  }
  ops::SignPlanRequest request;
  request.set_plan_id(flags.plan);
  *request.mutable_signature() = signature;
  const auto after = client->Call<ops::PlanView>("SignPlan", request);
  if (!after.ok()) return AsRefusal(after.status());
  return Tell(context, plan.index.header, *after, absl::StrCat("the signature of ", signer, " is recorded"));
}

}  // namespace

Action DeclareApprove(CommandLine& app) {
  auto flags = std::make_shared<ApproveFlags>();
  app.Option("PLAN", flags->plan, "The plan, as `reprise plan --submit` named it").Required();
  const OptionRef to =
      app.Option("--export", flags->export_file, "Write the statement, to be signed by minisign on another machine")
          .TypeName("FILE");
  app.Option("--signature", flags->signature_file, "Hand in a signature made elsewhere (.minisig)")
      .TypeName("FILE")
      .ExistingFile()
      .Excludes(to);
  app.Footer(
      "The plan is checked here first: that its parts are those whose hashes stand in the statement, and that the "
      "keyring\n"
      "is the one that your profile pins. Your key never leaves this machine. Exit code 4 when the plan, or the "
      "signature,\n"
      "is refused.\n\n"
      "Examples:\n"
      "  reprise approve edr-campaign-7f3a91c2\n"
      "  reprise approve edr-campaign-7f3a91c2 --export plan.txt\n"
      "  reprise approve edr-campaign-7f3a91c2 --signature plan.txt.minisig");
  return [flags](Context& context) { return Run(context, *flags); };
}

}  // namespace reprise::cli
