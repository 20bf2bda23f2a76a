// Messages as files keep them, with LF at the ends of lines, and as servers give them, with CRLF. One way only, and the same each
// time: an LF that no CR stands before becomes CRLF; all else stays, a lone CR too.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>

#include "plugins/mail/store.h"
#include "plugins/sdk/file.h"

namespace reprise::mail {

// Pieces in, pieces out.
class CrlfWriter {
 public:
  explicit CrlfWriter(const Sink& sink) : sink_(sink) {}
  void Put(std::string_view piece);

 private:
  const Sink& sink_;
  bool after_cr_ = false;
};

// How many bytes CrlfWriter would give.
class CrlfCounter {
 public:
  void Put(std::string_view piece);
  uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_ = 0;
  bool after_cr_ = false;
};

// A file of a store, to be read only: not even the time of its last reading changes, where the system lets us. Nothing if it is
// not there. Throws Error "not_a_file" for links, devices and the like.
sdk::Fd OpenToRead(const std::string& path);

// Pieces of `fd` from `from` up to `to` (its end, if that comes first).
void ReadPieces(int fd, uint64_t from, uint64_t to, const std::function<void(std::string_view)>& piece);

}  // namespace reprise::mail
