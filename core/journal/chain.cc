#include "core/crypto/sha256.h"
#include "core/journal/journal.h"

namespace reprise::journal {

std::string ChainHash(std::string_view previous, uint64_t sequence, std::string_view payload) {
  crypto::Sha256Hasher hasher;
  hasher.Update(previous);
  char number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<char>(sequence >> (56 - 8 * i));
  hasher.Update(std::string_view(number, sizeof number));
  hasher.Update(payload);
  return hasher.Finish();
}

}  // namespace reprise::journal
