#include "plugins/backup/formats/json_check.h"

#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr size_t kDepthMax = 1 << 20;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

const char* Spaces(const char* at, const char* end) {
  while (at < end && IsSpace(*at)) ++at;
  return at;
}

// Letters of a string that need no look: neither its end nor an escape, and below 0x80.
size_t StringRun(std::string_view rest) {
  size_t i = 0;
#ifdef __SSE2__
  for (; i + 16 <= rest.size(); i += 16) {
    const __m128i piece = bulk_internal::Load(rest.data() + i);
    const __m128i end = _mm_or_si128(_mm_cmpeq_epi8(piece, _mm_set1_epi8('"')), _mm_cmpeq_epi8(piece, _mm_set1_epi8('\\')));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(piece, _mm_set1_epi8(0x1f)), piece);
    const auto odd = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(end, low), piece)));
    if (odd != 0) return i + static_cast<size_t>(__builtin_ctz(odd));
  }
#endif
  while (i < rest.size() && rest[i] != '"' && rest[i] != '\\' && static_cast<unsigned char>(rest[i]) >= 0x20 &&
         static_cast<unsigned char>(rest[i]) < 0x80) {
    ++i;
  }
  return i;
}

// Each of the following: what stands behind such a token, or nullptr: there is none here, or it does not end here.

// A string of nothing but plain letters.
const char* PlainString(const char* at, const char* end) {
  if (at == end || *at != '"') return nullptr;
  at += 1 + StringRun({at + 1, end});
  return at < end && *at == '"' ? at + 1 : nullptr;
}

const char* PlainInteger(const char* at, const char* end) {
  if (*at == '0' || !IsDigit(*at)) return nullptr;
  while (at < end && IsDigit(*at)) ++at;
  return at < end && (IsSpace(*at) || *at == ',' || *at == '}' || *at == ']') ? at : nullptr;
}

const char* Word(const char* at, const char* end) {
  const std::string_view word = *at == 't' ? "true" : *at == 'f' ? "false" : "null";
  return StartsWith({at, end}, word) ? at + word.size() : nullptr;
}

// REQUIRES: at < end.
const char* PlainValue(const char* at, const char* end) {
  if (*at == '"') return PlainString(at, end);
  return IsDigit(*at) ? PlainInteger(at, end) : Word(at, end);
}

}  // namespace

inline bool JsonCheck::Begin(char c) {
  switch (c) {
    case '{':
    case '[':
      if (open_.size() >= kDepthMax) return false;
      open_ += c;
      state_ = c == '{' ? State::kFirstKey : State::kFirstValue;
      return true;
    case '"':
      key_ = false;
      state_ = State::kString;
      return true;
    case 't':
      word_ = "rue";
      break;
    case 'f':
      word_ = "alse";
      break;
    case 'n':
      word_ = "ull";
      break;
    case '-':
      state_ = State::kMinus;
      return true;
    default:
      state_ = c == '0' ? State::kZero : State::kDigits;
      return IsDigit(c);
  }
  state_ = State::kWord;
  return true;
}

inline bool JsonCheck::Close(char bracket) {
  if (open_.empty() || open_.back() != (bracket == '}' ? '{' : '[')) return false;
  open_.pop_back();
  state_ = State::kAfter;
  return true;
}

inline bool JsonCheck::After(char c) {
  if (c == '}' || c == ']') return Close(c);
  if (c != ',' || open_.empty()) return false;
  state_ = open_.back() == '{' ? State::kKey : State::kValue;
  return true;
}

// In a number; what ends it is looked at again.
bool JsonCheck::Number(char c) {
  const bool digit = IsDigit(c);
  const bool exponent = c == 'e' || c == 'E';
  switch (state_) {
    case State::kMinus:
      state_ = c == '0' ? State::kZero : State::kDigits;
      return digit;
    case State::kPoint:
      state_ = State::kFraction;
      return digit;
    case State::kExponent:
      state_ = c == '+' || c == '-' ? State::kSign : State::kPower;
      return digit || c == '+' || c == '-';
    case State::kSign:
      state_ = State::kPower;
      return digit;
    default:
      break;
  }
  if (digit && state_ != State::kZero) return true;
  if (c == '.' && (state_ == State::kZero || state_ == State::kDigits)) return state_ = State::kPoint, true;
  if (exponent && state_ != State::kPower) return state_ = State::kExponent, true;
  if (digit) return false;
  state_ = State::kAfter;
  return IsSpace(c) || After(c);
}

inline bool JsonCheck::Step(char c) {
  const auto byte = static_cast<unsigned char>(c);
  switch (state_) {
    case State::kFirstValue:
      if (c == ']') return Close(c);
      [[fallthrough]];
    case State::kValue:
      return IsSpace(c) || Begin(c);
    case State::kFirstKey:
      if (c == '}') return Close(c);
      [[fallthrough]];
    case State::kKey:
      if (IsSpace(c)) return true;
      key_ = true;
      state_ = State::kString;
      return c == '"';
    case State::kColon:
      if (IsSpace(c)) return true;
      state_ = State::kValue;
      return c == ':';
    case State::kAfter:
      return IsSpace(c) || After(c);
    case State::kString:
      if (c == '"') return state_ = key_ ? State::kColon : State::kAfter, true;
      if (c == '\\') return state_ = State::kEscape, true;
      if (byte < 0x20) return false;
      if (byte < 0x80) return true;
      left_ = byte >= 0xc2 && byte <= 0xdf ? 1 : byte >= 0xe0 && byte <= 0xef ? 2 : byte >= 0xf0 && byte <= 0xf4 ? 3 : 0;
      low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
      high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
      state_ = State::kLetter;
      return left_ > 0;
    case State::kLetter:
      if (byte < low_ || byte > high_) return false;
      low_ = 0x80;
      high_ = 0xbf;
      if (--left_ == 0) state_ = State::kString;
      return true;
    case State::kEscape:
      state_ = c == 'u' ? State::kUnicode : State::kString;
      left_ = 4;
      unit_ = 0;
      return std::string_view("\"\\/bfnrtu").find(c) != std::string_view::npos;
    case State::kUnicode: {
      const char low = static_cast<char>(c | 0x20);
      if (!IsDigit(c) && (low < 'a' || low > 'f')) return false;
      unit_ = unit_ << 4 | static_cast<uint32_t>(IsDigit(c) ? c - '0' : low - 'a' + 10);
      if (--left_ == 0) state_ = State::kString;
      return left_ > 0 || unit_ < 0xd800 || unit_ > 0xdfff;
    }
    case State::kWord:
      if (c != *word_) return false;
      if (*++word_ == '\0') state_ = State::kAfter;
      return true;
    default:
      return Number(c);
  }
}

// Whole tokens, one behind the other, as simple as most are: one of them costs what a step costs. Stops before whatever else
// there is, right or wrong: that is for the steps.
const char* JsonCheck::Simple(const char* at, const char* end) {
  for (;;) {
    if (state_ == State::kKey || state_ == State::kFirstKey) {
      const char* const next = PlainString(Spaces(at, end), end);
      if (next == nullptr) return at;
      at = next;
      state_ = State::kColon;
    }
    if (state_ == State::kColon) {
      const char* const next = Spaces(at, end);
      if (next == end || *next != ':') return at;
      at = next + 1;
      state_ = State::kValue;
    }
    if (state_ == State::kValue || state_ == State::kFirstValue) {
      const char* const next = Spaces(at, end);
      if (next == end) return at;
      if (*next == '{' || *next == '[') {
        if (!Begin(*next)) return at;
        at = next + 1;
        continue;
      }
      const char* const behind = PlainValue(next, end);
      if (behind == nullptr) return at;
      at = behind;
      state_ = State::kAfter;
    }
    if (state_ != State::kAfter) return at;
    const char* const next = Spaces(at, end);
    if (next == end || !After(*next)) return at;
    at = next + 1;
  }
}

bool JsonCheck::Feed(std::string_view piece) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at < end) {
    at = state_ == State::kString ? at + StringRun({at, end}) : Simple(at, end);
    if (at < end && !Step(*at++)) return false;
  }
  return true;
}

}  // namespace reprise::backup
