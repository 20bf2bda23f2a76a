#include "core/coordinator/permissions.h"

#include <google/protobuf/descriptor.h>

#include "core/coordinator/service_descriptors.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agents/engine/signed_plan.h"

namespace reprise::coordinator {
namespace {

using reprise::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

TEST(Permissions, HaveARowForEveryMethodAndForNothingElse) {
  const auto& service = DescribeOperatorService();
  std::set<std::string> methods;
  for (int i = 0; i < service.method_count(); ++i) methods.insert(service.method(i)->name());
  EXPECT_EQ(methods, PermittedMethods());
}

TEST(Permissions, AreRefusedForAMethodWithoutARowAndBeforeThereIsAKeyring) {
  const agents::testing::People people;
  const model::Keyring keyring = people.Keyring();
  EXPECT_THAT(CheckPermission(&keyring, "alice", "DropEverything"), StatusIs(absl::StatusCode::kUnimplemented, _));
  EXPECT_THAT(CheckPermission(nullptr, "alice", "GetStatus"), StatusIs(absl::StatusCode::kPermissionDenied, _));
}

TEST(Permissions, GoByTheRolesOfTheKeyringAndSayWhichRoleIsWanting) {
  agents::testing::People people;
  const model::Keyring keyring = people.Keyring();
  EXPECT_OK(CheckPermission(&keyring, "carol", "GetStatus"));
  EXPECT_OK(CheckPermission(&keyring, "carol", "SignGate"));
  EXPECT_THAT(CheckPermission(&keyring, "carol", "StartRun"),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("operator or admin")));
  EXPECT_THAT(CheckPermission(&keyring, "bob", "ExtendKeyring"), StatusIs(absl::StatusCode::kPermissionDenied, _));
  people.Revoke("carol");
  const model::Keyring later = people.Keyring();
  EXPECT_THAT(CheckPermission(&later, "carol", "GetStatus"),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("revoked")));
}

}  // namespace
}  // namespace reprise::coordinator
