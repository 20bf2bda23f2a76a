#include "core/crypto/utf8.h"

#include <cstdint>

namespace reprise::crypto {
namespace {

struct Character {
  uint32_t code = 0;
  size_t size = 0;  // 0: not UTF-8.
};

Character First(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  size_t size;
  uint32_t code;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2, code = lead & 0x1F;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3, code = lead & 0x0F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4, code = lead & 0x07;
  } else {
    return {};
  }
  if (text.size() < size) return {};
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, size};
}

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
    const Character character = First(text.substr(at));
    if (character.size == 0 || !IsPlain(character.code)) return at;
    at += character.size;
  }
  return std::string_view::npos;
}

std::string MakePlain(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const Character character = First(text);
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
