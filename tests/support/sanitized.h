// Whether this is a build with a sanitizer: it keeps what was freed, and takes several times as long.
#pragma once

namespace reprise::testing {

#ifdef REPRISE_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace reprise::testing
