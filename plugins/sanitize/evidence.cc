#include "plugins/sanitize/evidence.h"

#include "plugins/sanitize/bundle.h"

namespace reprise::sanitize {
namespace {

constexpr const char* kEvidenceClaim = "sanitize.evidence";

std::string Described(const Bundle& bundle) {
  return std::to_string(bundle.findings().size()) + " findings, " + std::to_string(bundle.files()) + " files, " +
         std::to_string(bundle.bytes()) + " bytes; manifest " + bundle.manifest_sha256();
}

Json Observed(const Bundle& bundle) {
  Json ids = Json::array();
  for (const Finding& finding : bundle.findings()) ids.push_back(finding.Id());
  return {{"manifest_sha256", bundle.manifest_sha256()}, {"findings", ids}, {"files", bundle.files()}, {"bytes", bundle.bytes()}};
}

}  // namespace

sdk::ActionInfo TakeEvidence::Describe() const {
  std::vector<sdk::Param> more = BundleParams();
  more.push_back(sdk::Integer("evidence_mb").Range(1, 1 << 20).Default(4096).About("More than this is refused, not cut"));
  return {.name = "evidence",
          .summary = "Copy everything that a check finds, with its metadata and what is volatile, under a hash manifest",
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = false, .processes = true, .paths = EvidenceFolders()},
          .timeout = "1h",
          .memory_mb = 1536,
          .params = ExaminationParams(std::move(more))};
}

sdk::ProbeResult TakeEvidence::Probe(sdk::Context& context) {
  const auto folder = Bundle::FolderOf(context);
  const auto bundle = Bundle::Open(context, folder);
  if (!bundle) {
    return {.holds = false,
            .summary = "no evidence of case " + context.Param("case"),
            .evidence = {{"file", folder.string() + " is not there"}},
            .claims = {{kEvidenceClaim, sdk::ClaimState::kFails, "not taken"}}};
  }
  return {.holds = true,
          .summary = Described(*bundle),
          .observed = Observed(*bundle),
          .evidence = {{"file", folder.string() + ": " + Described(*bundle)}},
          .claims = {{kEvidenceClaim, sdk::ClaimState::kHolds, Described(*bundle)}}};
}

sdk::PlanResult TakeEvidence::Plan(sdk::Context& context) {
  const auto folder = Bundle::FolderOf(context);
  if (Bundle::Open(context, folder)) return {{}, "it was taken already"};
  return {{{"evidence " + folder.string(), "not there", "what a check finds, copied"}}, "copies, takes nothing away"};
}

sdk::ApplyResult TakeEvidence::Apply(sdk::Context& context) {
  const auto folder = Bundle::FolderOf(context);
  if (const auto bundle = Bundle::Open(context, folder)) return {false, "taken already: " + Described(*bundle)};
  Examination on(context);
  ExamineAll(on);
  if (!on.report.Complete() && on.report.Verdict() == "unknown") {
    throw sdk::Error("evidence_incomplete", "the host could not be examined: " + on.report.Summary(),
                     "run sanitize.check: it names what was not looked at");
  }
  const Bundle bundle = Bundle::Write(on, folder);
  return {true, Described(bundle)};
}

sdk::VerifyResult TakeEvidence::Verify(sdk::Context& context) {
  // Everything is read from the disk and hashed again.
  sdk::ProbeResult probe = Probe(context);
  return {probe.holds, std::move(probe.summary), std::move(probe.evidence), std::move(probe.claims)};
}

}  // namespace reprise::sanitize
