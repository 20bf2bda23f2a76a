#include "agents/engine/course.h"

#include "absl/strings/str_cat.h"
#include "core/base/planted.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace reprise::agents {
namespace {

using model::v1::VERB_APPLY;
using model::v1::VERB_PROBE;
using model::v1::VERB_ROLLBACK;
using model::v1::VERB_VERIFY;

std::string Because(const char* what, const std::string& summary) {
  return summary.empty() ? std::string(what) : absl::StrCat(what, ": ", summary);
}

}  // namespace

CourseStep Course::Run(model::v1::Verb verb) {
  verb_ = verb;
  CourseStep step;
  step.kind = CourseStep::Kind::kVerb;
  step.verb = verb;
  return step;
}

CourseStep Course::Intend(model::v1::Verb verb) {
  CourseStep step = Run(verb);
  step.kind = CourseStep::Kind::kIntendThenVerb;
  return step;
}

CourseStep Course::End(model::v1::Outcome outcome, std::string code, std::string reason, const VerbReport* report) {
  CourseStep step;
  step.ending.outcome = outcome;
  step.ending.code = std::move(code);
  step.ending.reason = std::move(reason);
  if (report != nullptr) step.ending.Take(*report);
  return step;
}

CourseStep Course::Begin() {
  if (REPRISE_PLANTED(kNoProbeAfterCrash) && purpose_ == Purpose::kRecover) return Intend(VERB_APPLY);
  return Run(VERB_PROBE);
}

CourseStep Course::After(const VerbResult& result) {
  const bool recovering = purpose_ == Purpose::kRecover || purpose_ == Purpose::kRecoverUndo;
  const std::string verb = model::NameOf(verb_);
  const std::string said = BoundedText(result.message, 2048);
  CourseStep step;
  switch (result.end) {
    case VerbEnd::kDone: {
      const VerbReport report = ReadReport(verb_, result);
      if (!report.well_formed) {
        return End(recovering ? model::v1::OUTCOME_INTERRUPTED : model::v1::OUTCOME_FAILED, "bad_result",
                   absl::StrCat(verb, " returned something that is not a result of this verb"), nullptr);
      }
      if (verb_ == VERB_PROBE) return AfterProbe(report);
      if (verb_ == VERB_VERIFY) return AfterVerify(report);
      effect_done_ = true;
      return Run(verb_ == VERB_APPLY ? VERB_VERIFY : VERB_PROBE);
    }
    case VerbEnd::kTimedOut:
      return End(model::v1::OUTCOME_TIMED_OUT, "timed_out",
                 absl::StrCat(verb, " was killed at the deadline of the attempt", said.empty() ? "" : ": ", said),
                 nullptr);
    case VerbEnd::kCancelled:
      return End(model::v1::OUTCOME_CANCELLED, "cancelled",
                 absl::StrCat(verb, " was ended", said.empty() ? "" : ": ", said), nullptr);
    case VerbEnd::kRefused:
      // The runner says which rule, where it is not that of the library itself.
      return End(model::v1::OUTCOME_REFUSED,
                 result.code == "effect" || result.code == "verdict" ? result.code : "plugin_hash", said, nullptr);
    case VerbEnd::kError:
    case VerbEnd::kCrashed:
      break;
  }
  const bool crashed = result.end == VerbEnd::kCrashed;
  // Recovering, what cannot be looked at stays unknown: it is not a failure of the action.
  step =
      End(recovering ? model::v1::OUTCOME_INTERRUPTED : model::v1::OUTCOME_FAILED,
          crashed               ? "crashed"
          : result.code.empty() ? "error"
                                : BoundedText(result.code, 64),
          absl::StrCat(recovering ? "interrupted; what was reached cannot be told: " : "", verb, ": ", said), nullptr);
  step.ending.hint = BoundedText(result.hint, 1024);
  return step;
}

CourseStep Course::AfterProbe(const VerbReport& report) {
  switch (purpose_) {
    case Purpose::kRead:
      return report.holds
                 ? End(model::v1::OUTCOME_UNCHANGED, "", report.summary, &report)
                 : End(model::v1::OUTCOME_FAILED, "not_held", Because("does not hold", report.summary), &report);
    case Purpose::kDo:
      return report.holds ? End(model::v1::OUTCOME_UNCHANGED, "", report.summary, &report) : Intend(VERB_APPLY);
    case Purpose::kUndo:
      if (!effect_done_) return Intend(VERB_ROLLBACK);
      return report.holds ? End(model::v1::OUTCOME_FAILED, "rollback_failed",
                                Because("still there after the rollback", report.summary), &report)
                          : End(model::v1::OUTCOME_CHANGED, "", Because("undone", report.summary), &report);
    case Purpose::kRecover:
      return report.holds ? Run(VERB_VERIFY)
                          : End(model::v1::OUTCOME_INTERRUPTED, "interrupted",
                                Because("the agent died in mid-action, and it is not done", report.summary), &report);
    case Purpose::kRecoverUndo:
      return report.holds
                 ? End(model::v1::OUTCOME_INTERRUPTED, "interrupted",
                       Because("the agent died in mid-rollback, and it is not undone", report.summary), &report)
                 : End(model::v1::OUTCOME_CHANGED, "", Because("undone", report.summary), &report);
  }
  return End(model::v1::OUTCOME_FAILED, "bad_result", "", nullptr);
}

CourseStep Course::AfterVerify(const VerbReport& report) {
  return report.holds ? End(model::v1::OUTCOME_CHANGED, "", report.summary, &report)
                      : End(model::v1::OUTCOME_FAILED, "verify_failed",
                            Because("verify does not confirm it", report.summary), &report);
}

}  // namespace reprise::agents
