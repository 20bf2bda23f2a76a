// The plans behind the tasks: what the coordinator offered in this session, what was kept, what may be forgotten.
// Internal to agents/engine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/engine/desk.h"
#include "agents/engine/judge.h"

namespace reprise::agents {

class PlanKeeper {
 public:
  explicit PlanKeeper(Desk& desk) : desk_(desk) {}

  // A plan's id is a short name, and whoever owns the coordinator may give it to another plan: what people sign is the
  // statement. Empty code: the task brings the plan that is known here under its id, or no plan, or none is known. One that
  // nobody signed and that is not at work gives way to one that people did.
  Refusal CheckIdentity(const agent::v1::Task& task);
  // What a task brings is remembered for the session, also when the task is refused: the coordinator sends it once.
  void TakeOffer(const agent::v1::Task& task);
  void DropOffers();
  // All that is known for judging a task: what was kept, with what was offered over it.
  Case CaseFor(const agent::v1::TaskKey& key, const plan::v1::Signature& plugin_signature) const;
  // Whether one more plan can be remembered (or this one is). The oldest unsigned one that has ended gives way to another
  // unsigned one.
  bool MakeRoom(const std::string& plan_id, bool is_unsigned);
  // Makes the case durable, as far as it is not.
  void Keep(const agent::v1::TaskKey& key, const Case& the_case, const Permit& permit);

  // Drops the memory of plans that are past.
  void Forget();
  UnixMs NextForgetting() const;

 private:
  struct Offer {
    plan::v1::PlanAuthority authority;
    std::vector<plan::v1::SignedStatement> gates;
    size_t bytes = 0;  // That came for it.
  };

  struct Work {
    bool running = false;
    bool unacknowledged = false;
  };
  Work WorkOf(const std::string& plan_id) const;
  std::string OldestUnsignedEnded() const;  // Empty: there is none.

  Desk& desk_;
  std::map<std::string, Offer> offered_;
  size_t offered_bytes_ = 0;
};

}  // namespace reprise::agents
