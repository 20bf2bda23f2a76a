// Text formats read in one pass, line by line: the encoding is checked for all of them, the grammar is each one's own.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

// Of one content; made anew for each.
class TextGrammar {
 public:
  virtual ~TextGrammar() = default;
  // Without its newline; a line of more than 64 KiB comes in pieces, of which only the first `begins`.
  // Whole lines at the front of `piece`, which begins one: how many of its bytes were understood at once, without Line. None: 0.
  virtual size_t Lines(std::string_view /*piece*/, uint64_t /*at*/) { return 0; }
  virtual void Line(std::string_view line, uint64_t at, bool begins) = 0;
  // `ended`: the last line had its newline.
  virtual void End(Report& report, uint64_t size, bool ended) = 0;
  // Each part may be written in letters of its own, as in mail.
  virtual bool Mixed() const { return false; }
  // Where the first byte is that is no text, and none has to be: in quotes that hold bytes. Asked once, at the end.
  virtual bool HoldsBytes() const { return false; }
};

// Text that needs no more than to be text has no grammar.
void ReadText(Source& source, Report& report, TextGrammar* grammar);

// Whether these first bytes are text.
bool LooksLikeText(std::string_view head);

}  // namespace reprise::backup
