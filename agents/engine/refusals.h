// What was refused in this session, and what is said of it. Internal to agents/engine.
#pragma once

#include <map>
#include <string>

#include "agents/engine/desk.h"
#include "agents/engine/judge.h"

namespace reprise::agents {

class Refusals {
 public:
  explicit Refusals(Desk& desk) : desk_(desk) {}

  // Not made durable: a refusal changes nothing, and a coordinator in a loop must not fill the disk. Delivered again in another
  // session, the task is judged again.
  void Refuse(const agent::v1::Task& task, const Refusal& refusal);
  // The very same message again gets the same answer: the coordinator may have written it down, so that it must not become a
  // yes. One that differs, by a signature or a gate that was wanting, is judged anew. False: it was not refused.
  bool SayAgain(const agent::v1::Task& task);
  void Forget() { said_.clear(); }

 private:
  Desk& desk_;
  std::map<std::string, agent::v1::Finished> said_;  // By the SHA-256 of the task's bytes.
};

}  // namespace reprise::agents
