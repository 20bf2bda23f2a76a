#include "plugins/backup/formats/encoding.h"

#include <string>

#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr size_t kQuick = 16 << 10;  // Bytes that are looked at in one go.

// A further byte of a character.
bool IsLater(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string_view OneByte(const unsigned char& byte) {
  return {reinterpret_cast<const char*>(&byte), 1};
}

}  // namespace

void EncodingCheck::Odd(uint64_t& first, uint64_t at, unsigned char byte) {
  if (first != kNone) return;
  first = at;
  (&first == &control_ ? control_byte_ : not_utf8_byte_) = byte;
}

void EncodingCheck::Feed(std::string_view piece, bool last) {
  if (at_ == 0 && piece.size() >= 2) {
    if (piece.substr(0, 2) == "\xff\xfe") wide_ = 1;
    if (piece.substr(0, 2) == "\xfe\xff") wide_ = 2;
  }
  if (at_ == 0 && !piece.empty()) {
    first_ = piece[0];
    frames_ = piece[0] == '\v';
  }
  fed_ = piece;
  fed_at_ = at_;
  varied_ = varied_ || piece.find_first_not_of(first_) != std::string_view::npos;
  if (wide_ != 0) {
    Wide(piece);
  } else if (at_ == 0 && last && IsCleanUtf8(piece)) {
    at_ = piece.size();  // All of it, and right: nobody will ask what stands in it.
  } else {
    Narrow(piece);
  }
}

void EncodingCheck::Narrow(std::string_view piece) {
  // Nearly all text is nothing but UTF-8, which shows at once; what is not is gone through byte by byte.
  while (!piece.empty()) {
    std::string_view part = piece.substr(0, kQuick);
    // It ends between characters; where it does not, that is seen in the next step.
    for (int back = 0; back < 3 && part.size() > 1 && part.size() < piece.size() && IsLater(piece[part.size()]); ++back) part.remove_suffix(1);
    piece.remove_prefix(part.size());
    const auto counts = expected_ == 0 ? CountUtf8(part) : std::nullopt;
    if (!counts) {
      Slowly(part);
      continue;
    }
    at_ += part.size();
    characters_ += counts->characters;
    high_ += counts->high;
    letters_ += counts->letters;
  }
}

void EncodingCheck::Slowly(std::string_view piece) {
  for (size_t i = 0; i < piece.size(); ++i) {
    if (expected_ == 0) {  // Plain letters are by far the most: past them at once.
      const size_t run = PlainRun(piece.substr(i));
      i += run;
      at_ += run;
      if (i == piece.size()) return;
    }
    const char c = piece[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      ++high_;
      if (IsWesternLetter(byte)) ++letters_;
    } else if (!IsTextByte(byte) && !Means(byte)) {
      Odd(control_, at_, byte);
    }
    fill_ = byte == 0xff ? fill_ + 1 : 0;
    if (fill_ == 16 && filled_ == kNone) filled_ = at_ - 15;
    if (expected_ > 0) {
      const bool first = at_ == lead_at_ + 1;
      const bool overlong = first && ((lead_ == 0xe0 && byte < 0xa0) || (lead_ == 0xf0 && byte < 0x90));
      const bool outside = first && ((lead_ == 0xed && byte > 0x9f) || (lead_ == 0xf4 && byte > 0x8f));
      if ((byte & 0xc0) == 0x80 && !overlong && !outside) {
        if (--expected_ == 0) ++characters_;
        ++at_;
        continue;
      }
      expected_ = 0;
      ++broken_;
      Odd(not_utf8_, lead_at_, lead_);
    }
    if (byte >= 0x80) {
      expected_ = byte >= 0xc2 && byte <= 0xdf   ? 1
                  : byte >= 0xe0 && byte <= 0xef ? 2
                  : byte >= 0xf0 && byte <= 0xf4 ? 3
                                                 : 0;
      lead_ = byte;
      lead_at_ = at_;
      if (expected_ == 0) {
        ++broken_;
        Odd(not_utf8_, at_, byte);
      }
    }
    ++at_;
  }
}

void EncodingCheck::Wide(std::string_view piece) {
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    if (at_++ % 2 == 0) {
      unit_ = byte;
      continue;
    }
    unit_ = wide_ == 1 ? unit_ | uint32_t{byte} << 8 : unit_ << 8 | byte;
    const bool low = unit_ >= 0xdc00 && unit_ <= 0xdfff;
    if (low != high_surrogate_ || unit_ >= 0xfffe || (unit_ < 0x80 && !IsTextByte(static_cast<unsigned char>(unit_)))) {
      Odd(control_, at_ - 2, static_cast<unsigned char>(unit_));
    }
    high_surrogate_ = unit_ >= 0xd800 && unit_ <= 0xdbff;
  }
}

// Control characters that some texts have.
bool EncodingCheck::Means(unsigned char byte) {
  if (frames_ && (byte == 0x0b || byte == 0x1c)) return true;
  if (byte != 0x0e && byte != 0x0f) return false;
  shifts_ = shifts_ || Contains(fed_.substr(0, static_cast<size_t>(at_ - fed_at_)), "\x1b$)C");
  return shifts_;
}

void EncodingCheck::Tell(Report& report) const {
  // What DOS wrote at the end of a text.
  const bool dos_end = control_byte_ == 0x1a && control_ + 1 == at_;
  if (control_ != kNone && !dos_end && mixed_ && (control_byte_ == 0x07 || control_byte_ == 0x08))
    return report.Undecided(control_, "text", HexOf(OneByte(control_byte_)));
  if (control_ != kNone && !dos_end) return report.Damaged(control_, "text", HexOf(OneByte(control_byte_)));
  if (!varied_ && at_ >= 64)
    return report.Damaged(0, "text", Words("one byte, ", at_, " times: ", HexOf({&first_, 1})));
  if (wide_ != 0 && (at_ % 2 != 0 || high_surrogate_)) return report.Truncated(at_, "the second half of a character");
  if (wide_ == 0 && filled_ != kNone) return report.Damaged(filled_, "text", "16 times ff and more");
  if (wide_ != 0 || (broken_ == 0 && expected_ == 0)) return;
  if (broken_ == 0) return report.Truncated(at_, "the rest of a character in UTF-8");
  // One byte a character: mostly plain letters, and hardly anything that happens to be UTF-8.
  const bool western = characters_ * 20 <= broken_ && letters_ * 100 >= high_ * 95 && high_ * 4 <= at_;
  if (western) return;
  // Logs and mail have several programs' letters: more than a damaged place or two, and each of them a letter.
  const bool several = broken_ >= 32 || mixed_;
  if (characters_ >= 5 * broken_ && !several) return report.Damaged(not_utf8_, "text in UTF-8", HexOf(OneByte(not_utf8_byte_)));
  report.Undecided(not_utf8_, "text in UTF-8 or Western European letters", HexOf(OneByte(not_utf8_byte_)));
}

}  // namespace reprise::backup
