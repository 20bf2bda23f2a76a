#include "core/model/names.h"

namespace reprise::model {

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kNameMax || text.front() == '-' || text.front() == '.') return false;
  for (const char c : text) {
    const bool legal = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!legal) return false;
  }
  return true;
}

}  // namespace reprise::model
