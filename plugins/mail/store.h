// Where messages are and where they go: what an old server, a restored Maildir or mbox, and a new server have in common.
// Everything is in UTF-8, whatever the wire says; folders are paths of levels; flags are as in IMAP (RFC 9051, 2.3.2).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/error.h"

namespace reprise::mail {

// A folder's name, level by level: {"Archives", "2022", "Août"}. The inbox is {"INBOX"}.
using FolderPath = std::vector<std::string>;

struct Folder {
  FolderPath path;
  bool selectable = true;
  bool subscribed = false;
  std::vector<std::string> special_use;  // "\\Sent", "\\Trash"… (RFC 6154)
};

// A folder as it is when it is opened.
struct FolderState {
  uint32_t uid_validity = 0;  // Of a store without UIDs: derived from what identifies it, stable while it is unchanged.
  uint32_t uid_next = 0;      // 0: the store does not say.
  uint64_t messages = 0;
};

// When the server got it: seconds since 1970, and the zone that it was told in.
struct InternalDate {
  int64_t unix_seconds = 0;
  int zone_minutes = 0;

  bool operator==(const InternalDate&) const = default;
};

// A message but for its bytes.
struct Listed {
  uint32_t uid = 0;
  uint64_t bytes = 0;              // RFC822.SIZE; of files: of the message with CRLF at the end of each line.
  InternalDate date;
  std::vector<std::string> flags;  // System flags but \Recent, then keywords; sorted, each once.
};

// Gets a message piece by piece. May throw: the reading ends.
using Sink = std::function<void(std::string_view)>;

// A message that is listed, and that the store will not give: `why` is a code, such as "not_given", "corrupt", "compressed".
struct NotGiven {
  uint32_t uid = 0;
  std::string why;
};

// All members throw sdk::Error: what the store says in its code ("over_quota", "too_large", "limited", "unavailable",
// "no_folder", "auth_failed", "connection_lost", "changed", …; imap_errors.h has the list with what may be tried again).
class Source {
 public:
  virtual ~Source() = default;

  virtual std::vector<Folder> Folders() = 0;
  // The folder that all that follows is about. Opened for reading only.
  virtual FolderState Open(const FolderPath& path) = 0;
  // Messages with first <= uid <= last, by rising UID; those that vanish meanwhile are left out. Holds one window of them.
  virtual void List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) = 0;
  // The bytes as they were sent, with CRLF. False, and nothing given: the message is no more.
  virtual bool Read(uint32_t uid, const Sink& sink) = 0;
  // Several, in as few round trips as the store can, and in the order that it likes. Each that is there is given in one or more
  // pieces, all of one before the next; of an empty message one empty piece. Not called for one that is no more. What is given
  // counts once this returns: a store may find out at the end that it was another message, and throws. Returns those that are there and
  // are not given; pieces of them may have been.
  virtual std::vector<NotGiven> ReadAll(const std::vector<uint32_t>& uids, const std::function<void(uint32_t uid, std::string_view piece)>& piece) {
    std::vector<NotGiven> not_given;
    for (const uint32_t uid : uids) {
      bool any = false;
      try {
        const bool there = Read(uid, [&](std::string_view bytes) { any = true, piece(uid, bytes); });
        if (there && !any) piece(uid, {});
      } catch (const sdk::Error& error) {
        // A file that is none, or is compressed: others are as they should be.
        if (error.code() != "not_a_file" && error.code() != "compressed") throw;
        not_given.push_back({uid, error.code()});
      }
    }
    return not_given;
  }
};

struct Appended {
  uint32_t uid_validity = 0;  // Both 0: the server does not say (no UIDPLUS).
  uint32_t uid = 0;
};

// One of several to append. `body` gives the same bytes each time it is called: a server that takes not all of them at once is
// asked again for each.
struct Outgoing {
  Listed message;
  std::function<void(const Sink&)> body;
};
struct AppendResult {
  Appended appended;
  std::optional<sdk::Error> refused;  // It is not there, and the server says why.
};

class Target : public Source {
 public:
  // The path as this store can have it: where a level has the character that stands between levels here, another one that
  // looks like it. All members take paths either way; Folders() gives them as they are.
  virtual FolderPath Fit(const FolderPath& path) const { return path; }
  virtual void Create(const Folder& folder) = 0;  // And subscribes, if it says so. There already: only that.
  // `bytes` pieces follow from `body`, which is called once and must give exactly `bytes` bytes. Throws Error otherwise:
  // nothing was appended, unless the code is "connection_lost": then nobody knows.
  virtual Appended Append(const FolderPath& path, const Listed& message, const std::function<void(const Sink&)>& body) = 0;
  // The same for several, in their order, much faster where the server can take many in one go. Once one is refused for another reason
  // than what it is ("over_quota"), those behind it are refused too, untried: order is kept. Throws only what ends them all:
  // "connection_lost" (nobody knows which are there), "cancelled".
  virtual std::vector<AppendResult> AppendAll(const FolderPath& path, const std::vector<Outgoing>& messages) = 0;
  // Of the folder that is open. Flags are replaced, but for \Recent.
  virtual void SetFlags(uint32_t uid, const std::vector<std::string>& flags) = 0;
  // Takes one message away (\Deleted, UID EXPUNGE).
  virtual void Remove(uint32_t uid) = 0;
  // The largest message it takes, if it says (APPENDLIMIT, RFC 7889).
  virtual std::optional<uint64_t> LargestMessage() = 0;
};

}  // namespace reprise::mail
