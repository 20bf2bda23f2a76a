// How a verb says that it could not be done. Thrown by actions and helpers, turned into {"error":…} by entry.h; it never
// crosses the boundary.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace reprise::sdk {

// `code` is for programs: lower case, the same for the same cause ("disk_full"). `message` says where, the value and what
// was expected; `hint` what to try. Neither holds a secret.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message, std::string hint = "")
      : std::runtime_error(message), code_(std::move(code)), hint_(std::move(hint)) {}

  const std::string& code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  std::string code_;
  std::string hint_;
};

}  // namespace reprise::sdk
