// Whether a content is one JSON value and nothing else, quickly: in one pass, without building anything. Strict where it says
// yes (RFC 8259, UTF-8); says no also where it only is not sure (a mark at the front, halves of surrogates): then the parser
// that can explain decides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reprise::backup {

class JsonCheck {
 public:
  // False: it is none. In pieces, as they come.
  bool Feed(std::string_view piece);
  // REQUIRES: all was fed, and never false.
  bool Whole() const { return state_ == State::kAfter && open_.empty(); }

 private:
  enum class State : uint8_t {
    kValue, kFirstValue, kKey, kFirstKey, kColon, kAfter,  // Between tokens; First: or the end of what just began.
    kString, kEscape, kUnicode, kLetter,                   // In a string; kLetter: further bytes of a character.
    kWord, kMinus, kZero, kDigits, kPoint, kFraction, kExponent, kSign, kPower,
  };
  // Small, and called for each byte: a call costs more than what they do.
  [[gnu::always_inline]] inline bool Step(char c);
  [[gnu::always_inline]] inline bool Begin(char c);
  [[gnu::always_inline]] inline bool After(char c);
  [[gnu::always_inline]] inline bool Close(char bracket);
  bool Number(char c);
  const char* Simple(const char* at, const char* end);

  State state_ = State::kValue;
  std::string open_;          // The brackets that are open.
  bool key_ = false;          // The string is a key.
  const char* word_ = "";     // What is left of true, false, null.
  int left_ = 0;              // Of an escape or a character.
  unsigned char low_ = 0x80, high_ = 0xbf;  // Bounds of the next byte of a character.
  uint32_t unit_ = 0;
};

}  // namespace reprise::backup
