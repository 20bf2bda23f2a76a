#include "agents/daemon/backoff.h"

#include <algorithm>
#include <cstdint>

namespace reprise::daemon {

std::chrono::milliseconds Backoff::Next() {
  const std::string bytes = random_.Bytes(2);
  const int64_t chance = (static_cast<unsigned char>(bytes[0]) << 8) | static_cast<unsigned char>(bytes[1]);
  const int64_t step = next_.count();
  next_ = std::min(most_, next_ * 2);
  return std::chrono::milliseconds(step / 2 + (step - step / 2) * chance / 65535);
}

}  // namespace reprise::daemon
