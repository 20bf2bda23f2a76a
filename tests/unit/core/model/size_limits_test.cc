#include "core/model/size_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace reprise::model {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SizeLimits, TakeAReasonUpToTheirFigureAndSayHowLongOneIsBeyondIt) {
  EXPECT_OK(CheckReason("the reason", std::string(2048, 'x')));
  EXPECT_THAT(CheckReason("the reason", std::string(2049, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("the reason is 2049 bytes long"), HasSubstr("at most 2048"))));
}

TEST(SizeLimits, CountWhatEachHostIsSentAndNameTheGreatest) {
  plan::v1::PlanHeader header;
  plan::v1::Stage& stage = *header.add_stages();
  stage.set_name("protect");
  stage.add_steps()->set_name("install");
  std::vector<plan::v1::HostLeaf> leaves(2);
  leaves[0].set_host("ws-001");
  leaves[1].set_host("ws-002");
  leaves[1].add_placements()->add_overrides()->set_params_json(std::string(1000, 'x'));
  const auto check = [&](size_t header_bytes) {
    return CheckPlanTravels(500, header, header_bytes, leaves,
                            {leaves[0].SerializeAsString(), leaves[1].SerializeAsString()});
  };
  EXPECT_OK(check(kPlanPartBytesMax - 4000));
  EXPECT_THAT(check(kPlanPartBytesMax - 1000),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("host ws-002"), HasSubstr("1000 bytes, are the parameters of step install"))));
}

}  // namespace
}  // namespace reprise::model
