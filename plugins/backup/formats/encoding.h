// Whether bytes are text: UTF-8, UTF-16 with its mark, or one byte a character as Western Europe writes it. Fed piece
// by piece; speaks at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

class EncodingCheck {
 public:
  // `last`: nothing follows it.
  void Feed(std::string_view piece, bool last);
  // Reports the first byte that no text has, or says nothing.
  void Tell(Report& report) const;
  bool is_utf16() const { return wide_ != 0; }
  // Characters that one text rarely mixes are no damage where every message has its own.
  void AllowMixed() { mixed_ = true; }

 private:
  void Narrow(std::string_view piece);
  void Slowly(std::string_view piece);
  void Wide(std::string_view piece);
  bool Means(unsigned char byte);
  void Odd(uint64_t& first, uint64_t at, unsigned char byte);

  static constexpr uint64_t kNone = ~uint64_t{0};
  uint64_t at_ = 0;
  char first_ = '\0';
  bool shifts_ = false;  // ISO 2022 with two alphabets, which says so first: control characters change between them.
  std::string_view fed_;  // While it is fed.
  uint64_t fed_at_ = 0;
  bool frames_ = false;  // HL7's messages one behind the other, each between two control characters.
  uint64_t fill_ = 0;    // Of bytes 0xff in a row, how many just now.
  uint64_t filled_ = kNone;
  bool varied_ = false;  // Not one byte over and over, as wipers write.
  bool mixed_ = false;
  int wide_ = 0;         // 1: little-endian, 2: big-endian.
  int expected_ = 0;     // Further bytes of a UTF-8 character.
  unsigned char lead_ = 0;
  uint64_t lead_at_ = 0;
  uint32_t unit_ = 0;  // Of UTF-16: the half that came.
  bool high_surrogate_ = false;
  uint64_t control_ = kNone;  // Where the first control character stands.
  unsigned char control_byte_ = 0;
  uint64_t not_utf8_ = kNone;
  unsigned char not_utf8_byte_ = 0;
  uint64_t characters_ = 0;  // Of more than one byte, in UTF-8.
  uint64_t broken_ = 0;      // Sequences that are no UTF-8.
  uint64_t high_ = 0;        // Bytes from 0x80 on.
  uint64_t letters_ = 0;     // Those of them that Western European text has.
};

}  // namespace reprise::backup
