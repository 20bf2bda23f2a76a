// The course of one attempt, from its files to its outcome: which verb comes next, and what its end means.
// Pure and ignorant of everything else: no spool, no coordinator, no other attempt.
//
//   do        probe ─ holds ▶ unchanged;  else intend ▶ apply ▶ verify ─ holds ▶ changed, else failed
//   read      probe ─ holds ▶ unchanged;  else failed (not_held)
//   undo      probe ▶ intend ▶ rollback ▶ probe ─ does not hold ▶ changed, else failed
//   recover   (intent durable, no outcome)  probe ─ holds ▶ verify ▶ changed;  else interrupted
//   recover an undo                         probe ─ does not hold ▶ changed;  else interrupted
#pragma once

#include <string>

#include "agents/engine/ending.h"
#include "agents/engine/report.h"
#include "agents/engine/verb.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::agents {

struct CourseStep {
  enum class Kind { kVerb, kIntendThenVerb, kEnd } kind = Kind::kEnd;
  model::v1::Verb verb = model::v1::VERB_UNSPECIFIED;  // Unless kEnd.
  Ending ending;                                       // When kEnd.
};

class Course {
 public:
  enum class Purpose { kDo, kRead, kUndo, kRecover, kRecoverUndo };
  explicit Course(Purpose purpose) : purpose_(purpose) {}

  Purpose purpose() const { return purpose_; }
  model::v1::Verb verb() const { return verb_; }  // The one under way.
  CourseStep Begin();
  // REQUIRES: the verb that the last step asked for has ended so.
  CourseStep After(const VerbResult& result);

 private:
  CourseStep AfterProbe(const VerbReport& report);
  CourseStep AfterVerify(const VerbReport& report);
  CourseStep Run(model::v1::Verb verb);
  CourseStep Intend(model::v1::Verb verb);
  CourseStep End(model::v1::Outcome outcome, std::string code, std::string reason, const VerbReport* report);

  Purpose purpose_;
  model::v1::Verb verb_ = model::v1::VERB_UNSPECIFIED;
  bool effect_done_ = false;
};

}  // namespace reprise::agents
