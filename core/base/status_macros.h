// Early return on error, so that the path of success reads straight down.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define REPRISE_CONCAT_INNER(a, b) a##b
#define REPRISE_CONCAT(a, b) REPRISE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                    \
  do {                                                 \
    if (absl::Status s_ = (expression); !s_.ok()) {    \
      return s_;                                       \
    }                                                  \
  } while (false)

// ASSIGN_OR_RETURN(auto plan, ParsePlan(text));
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(REPRISE_CONCAT(status_or_, __LINE__), declaration, expression)

#define ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                   \
  if (!temporary.ok()) {                                           \
    return std::move(temporary).status();                          \
  }                                                                \
  declaration = *std::move(temporary)
