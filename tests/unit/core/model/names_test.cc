#include "core/model/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace reprise::model {
namespace {

using ::testing::Contains;
using ::testing::Not;

template <typename Enum>
class NamesTest : public ::testing::Test {};

using AllEnums = ::testing::Types<v1::Zone, v1::AssetClass, v1::TrustState, v1::Effect, v1::Verb, v1::Outcome,
                                  v1::OnFailure, v1::Unreachable, v1::TaskState, v1::TargetState, v1::WaveState,
                                  v1::StageState, v1::RunState, v1::GateState, v1::Role, v1::ClaimState>;
TYPED_TEST_SUITE(NamesTest, AllEnums);

TYPED_TEST(NamesTest, ReadBackAsTheValueTheyName) {
  const auto names = NamesOf<TypeParam>();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const auto& name : names) {
    ASSERT_TRUE(FromName<TypeParam>(name).has_value()) << name;
    EXPECT_EQ(NameOf(*FromName<TypeParam>(name)), name);
  }
}

TYPED_TEST(NamesTest, NeverGiveTheUnspecifiedValue) {
  EXPECT_EQ(NameOf(static_cast<TypeParam>(0)), "unspecified");
  EXPECT_FALSE(FromName<TypeParam>("unspecified").has_value());
  EXPECT_FALSE(FromName<TypeParam>("").has_value());
  EXPECT_THAT(NamesOf<TypeParam>(), Not(Contains("unspecified")));
}

TEST(Names, AreTheGlossarysWords) {
  EXPECT_EQ(NameOf(v1::ASSET_CLASS_MEDICAL_DEVICE), "medical_device");
  EXPECT_EQ(NameOf(v1::ZONE_TRUST_CORE), "trust_core");
  EXPECT_EQ(FromName<v1::Role>("approver"), v1::ROLE_APPROVER);
  EXPECT_FALSE(FromName<v1::Zone>("DIRTY").has_value());
  EXPECT_EQ(NameOf(static_cast<v1::Zone>(99)), "unspecified");
}

TEST(Names, OfHostsAndPeopleCanStandInAFileNameAndACertificate) {
  for (const char* name : {"ws-001", "a", "0", "srv.agt-01"}) EXPECT_TRUE(IsName(name)) << name;
  EXPECT_TRUE(IsName(std::string(64, 'a')));
  for (const char* name : {"", "WS-001", "-x", ".", "..", "a/b", "a b", "a:b", "é", "a\n", "a_b", "a*"}) {
    EXPECT_FALSE(IsName(name)) << name;
  }
  EXPECT_FALSE(IsName(std::string(65, 'a')));
  EXPECT_FALSE(IsName(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace reprise::model
