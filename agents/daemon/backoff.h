// How long to wait before the next try: doubled each time up to a limit, and spread by chance, so that a thousand
// agents do not come back in the same instant.
#pragma once

#include <chrono>

#include "core/base/random.h"

namespace reprise::daemon {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most, Random& random)
      : first_(first), most_(most), next_(first), random_(random) {}

  // Between half and the whole of the present step; the step then doubles.
  std::chrono::milliseconds Next();
  void Reset() { next_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds most_;
  std::chrono::milliseconds next_;
  Random& random_;
};

}  // namespace reprise::daemon
