#include "core/report/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace reprise::report {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using model::v1::TargetState;

operators::v1::RunView RunIn(model::v1::RunState state) {
  operators::v1::RunView run;
  run.set_id(31);
  run.set_plan_id("maincare-7f3a91c2");
  run.set_state(state);
  run.set_expires_ms(1'669'280'400'000);
  const bool goes_on = state == model::v1::RUN_STATE_RUNNING || state == model::v1::RUN_STATE_CATCHING_UP;
  if (!goes_on) run.set_ended_ms(1'669'276'800'000);
  return run;
}

void Add(operators::v1::RunView& run, const std::string& host, TargetState state, const std::string& code) {
  auto& target = *run.add_targets();
  target.set_host(host);
  target.set_state(state);
  target.set_code(code);
  auto& counts = *run.mutable_counts();
  if (state == model::v1::TARGET_STATE_DEFERRED) counts.set_deferred(counts.deferred() + 1);
  if (state == model::v1::TARGET_STATE_FAILED) counts.set_failed(counts.failed() + 1);
}

TEST(NextSteps, SendNobodyToRetryWhatStandsInTheSignedPlan) {
  for (const char* code : {"bad_params", "expired", "asset_class", "changed_since", "unknown_action"}) {
    auto run = RunIn(model::v1::RUN_STATE_PARTIAL);
    Add(run, "srv-1", model::v1::TARGET_STATE_FAILED, code);
    EXPECT_THAT(NextSteps(run), ElementsAre(AllOf(HasSubstr("make a new plan"), HasSubstr("srv-1"), Not(HasSubstr("run retry")))))
        << code;
  }
  auto run = RunIn(model::v1::RUN_STATE_FAILED);
  Add(run, "srv-1", model::v1::TARGET_STATE_FAILED, "wrong_copy");
  EXPECT_THAT(NextSteps(run), ElementsAre(AllOf(HasSubstr("make a new plan"), HasSubstr("wrong disk"))));
}

TEST(NextSteps, SendAHostsOwnTroubleToRetry) {
  auto run = RunIn(model::v1::RUN_STATE_PARTIAL);
  Add(run, "ws-2", model::v1::TARGET_STATE_FAILED, "disk_full");
  Add(run, "ws-3", model::v1::TARGET_STATE_FAILED, "dpkg_broken");
  Add(run, "ws-4", model::v1::TARGET_STATE_SUCCEEDED, "");
  EXPECT_THAT(NextSteps(run), ElementsAre("mend what is wrong, then `reprise run retry 31` (ws-2, ws-3)"));
}

TEST(NextSteps, TellEachWayOutOnItsOwnLine) {
  auto run = RunIn(model::v1::RUN_STATE_PARTIAL);
  Add(run, "ws-2", model::v1::TARGET_STATE_FAILED, "disk_full");
  Add(run, "ws-3", model::v1::TARGET_STATE_FAILED, "bad_params");
  EXPECT_THAT(NextSteps(run), ElementsAre(HasSubstr("run retry 31` (ws-2)"), AllOf(HasSubstr("new plan"), HasSubstr("(ws-3)"))));
}

TEST(NextSteps, WaitOnlyForHostsThatAreAway) {
  auto run = RunIn(model::v1::RUN_STATE_CATCHING_UP);
  Add(run, "ws-2", model::v1::TARGET_STATE_DEFERRED, "unreachable");
  EXPECT_THAT(NextSteps(run), ElementsAre("nothing: done when they come back, until 2022-11-24T09:00:00Z (ws-2)"));
}

TEST(NextSteps, SendToWhoCanLetGoWhatIsHeldBack) {
  const std::pair<const char*, const char*> ways[] = {{"verdict", "`reprise approve maincare-7f3a91c2`"},
                                                      {"hold", "`reprise host release HOST`"},
                                                      {"quarantine", "`reprise host admit HOST`"},
                                                      {"not_admitted", "`reprise host admit HOST`"},
                                                      {"zone", "`reprise host zone HOST ZONE`"},
                                                      {"asset_class", "make a new plan"},
                                                      {"something_new", "`reprise run show 31`"}};
  for (const auto& [code, way] : ways) {
    for (const TargetState state : {model::v1::TARGET_STATE_DEFERRED, model::v1::TARGET_STATE_WAITING}) {
      auto run = RunIn(state == model::v1::TARGET_STATE_DEFERRED ? model::v1::RUN_STATE_CATCHING_UP : model::v1::RUN_STATE_RUNNING);
      Add(run, "srv-1", state, code);
      EXPECT_THAT(NextSteps(run), ElementsAre(AllOf(HasSubstr(way), HasSubstr("srv-1"), Not(HasSubstr("nothing: "))))) << code;
    }
  }
}

TEST(NextSteps, SayNothingOfNobody) {
  EXPECT_THAT(NextSteps(RunIn(model::v1::RUN_STATE_CATCHING_UP)), IsEmpty());
  auto run = RunIn(model::v1::RUN_STATE_RUNNING);
  Add(run, "ws-2", model::v1::TARGET_STATE_WAITING, "");
  Add(run, "ws-3", model::v1::TARGET_STATE_ACTIVE, "");
  EXPECT_THAT(NextSteps(run), IsEmpty());
}

TEST(NextSteps, PointToTheRunWhereTheViewHasNoHosts) {
  auto run = RunIn(model::v1::RUN_STATE_CATCHING_UP);
  run.mutable_counts()->set_deferred(2);
  EXPECT_THAT(NextSteps(run), ElementsAre("2 host(s) are put off: `reprise run show 31` says why, and what to do"));
}

TEST(NextSteps, NameAHostOnceAndNotAThousandOfThem) {
  auto run = RunIn(model::v1::RUN_STATE_PARTIAL);
  for (int i = 0; i < 10; ++i) {
    Add(run, absl::StrCat("ws-", i), model::v1::TARGET_STATE_FAILED, "disk_full");
    Add(run, absl::StrCat("ws-", i), model::v1::TARGET_STATE_FAILED, "disk_full");
  }
  EXPECT_THAT(NextSteps(run), ElementsAre(HasSubstr("(ws-0, ws-1, ws-2, ws-3, ws-4, ws-5 and 4 more)")));
}

}  // namespace
}  // namespace reprise::report
