#include "core/crypto/utf8.h"

#include <cstdint>

#include "core/base/text.h"

namespace reprise::crypto {
namespace {

bool IsPlain(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;  // Control characters.
  if (code == 0xAD || code == 0x061C || code == 0x180E) return false;
  if (code >= 0x200B && code <= 0x200F) return false;  // Zero width, direction marks.
  if (code >= 0x2028 && code <= 0x202E) return false;  // Line separators, direction overrides.
  if (code >= 0x2060 && code <= 0x206F) return false;
  if (code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB)) return false;
  return code < 0xE0000 || code > 0xE007F;  // Tags.
}

}  // namespace

size_t FindUnplain(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const Letter character = FirstLetter(text.substr(at));
    if (character.size == 0 || !IsPlain(character.code)) return at;
    at += character.size;
  }
  return std::string_view::npos;
}

std::string MakePlain(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const Letter character = FirstLetter(text);
    const size_t size = character.size == 0 ? 1 : character.size;
    if (character.size == 0) {
      plain += '?';
    } else if (!IsPlain(character.code)) {
      plain += ' ';
    } else {
      plain.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return plain;
}

}  // namespace reprise::crypto
