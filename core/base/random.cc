#include "core/base/random.h"

#include <sys/random.h>

#include <cstdlib>

namespace reprise {

std::string SystemRandom::Bytes(size_t count) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = getrandom(bytes.data() + done, count - done, 0);
    if (got < 0) std::abort();  // A kernel without randomness cannot make keys.
    done += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace reprise
