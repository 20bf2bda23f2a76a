// A case for the judge, in order in all its parts until a test says otherwise.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "agents/engine/judge.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::agents::testing {

// A host that was admitted, a plan that was signed: everything in order until a test says otherwise.
class JudgeTest : public ::testing::Test {
 protected:
  People people;
  PlanMaker plan{people};
  std::vector<agent::v1::SpoolRecord> records = EnrolledRecords(people);
  bool exercise = false;
  UnixMs now = kNoon + kHour;
  std::vector<plan::v1::SignedStatement> gates;
  plan::v1::Signature plugin_signature;

  void Admit(const std::function<void(model::HostStatement&)>& change = {}) {
    *records.emplace_back().mutable_host_statement() = Admission(people, "ws-001", change);
  }
  Verdict Ask(const agent::v1::TaskKey& key, const plan::v1::PlanAuthority& authority) {
    const auto memory = Memory::Fold(records);
    EXPECT_TRUE(memory.ok()) << memory.status();
    return Judge(Case{*memory, exercise, authority, gates, plugin_signature}, key, now);
  }
  // The refusal's code; "permitted" for none.
  std::string CodeFor(const agent::v1::TaskKey& key, const plan::v1::PlanAuthority& authority) {
    const Verdict verdict = Ask(key, authority);
    const auto* refusal = std::get_if<Refusal>(&verdict);
    if (refusal == nullptr) return "permitted";
    EXPECT_FALSE(refusal->reason.empty()) << refusal->code;
    return refusal->code;
  }
  std::string CodeFor(const plan::v1::PlanAuthority& authority) { return CodeFor(plan.Key(), authority); }
  std::string Code() { return CodeFor(plan.Authority()); }
};

}  // namespace reprise::agents::testing
