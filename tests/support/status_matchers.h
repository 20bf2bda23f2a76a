// EXPECT_THAT(status, IsOk());  EXPECT_THAT(status_or, StatusIs(absl::StatusCode::kNotFound, HasSubstr("ws-1")));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::testing {

inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& status_or) { return status_or.status(); }

MATCHER(IsOk, "is OK") {
  *result_listener << ToStatus(arg).ToString();
  return ToStatus(arg).ok();
}

MATCHER_P2(StatusIs, code, message_matcher, "") {
  const absl::Status& status = ToStatus(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         ::testing::ExplainMatchResult(message_matcher, std::string(status.message()), result_listener);
}

}  // namespace reprise::testing

#define ASSERT_OK(expression) ASSERT_THAT((expression), ::reprise::testing::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT((expression), ::reprise::testing::IsOk())
// ASSERT_OK_AND_ASSIGN(auto plan, ParsePlan(text));
#define ASSERT_OK_AND_ASSIGN(declaration, expression) \
  ASSERT_OK_AND_ASSIGN_INNER(REPRISE_TEST_CONCAT(status_or_, __LINE__), declaration, expression)
#define REPRISE_TEST_CONCAT_INNER(a, b) a##b
#define REPRISE_TEST_CONCAT(a, b) REPRISE_TEST_CONCAT_INNER(a, b)
#define ASSERT_OK_AND_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                       \
  ASSERT_OK(temporary);                                                \
  declaration = *std::move(temporary)
