// A mailbox on an IMAP server, to read from and to append to.
//
// Messages are appended many at a time where the server can (MULTIAPPEND), without waiting for leave (LITERAL+); else one by one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/mail/imap_bodies.h"
#include "plugins/mail/store.h"
#include "plugins/mail/utf7.h"

namespace reprise::mail {

// Who may do what in a folder (RFC 4314).
struct FolderRights {
  std::string who;
  std::string rights;  // Letters; sorted.

  bool operator==(const FolderRights&) const = default;
};

class ImapStore : public Target {
 public:
  // Connects and logs in for `user`.
  ImapStore(const sdk::Context& context, const Profile& profile, const std::string& user, Credentials& credentials, Flow& flow);

  std::vector<Folder> Folders() override;
  FolderState Open(const FolderPath& path) override;
  void List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) override;
  bool Read(uint32_t uid, const Sink& sink) override;
  std::vector<NotGiven> ReadAll(const std::vector<uint32_t>& uids, const PieceSink& piece) override;
  FolderPath Fit(const FolderPath& path) const override { return names_.Fit(path); }
  void Create(const Folder& folder) override;
  Appended Append(const FolderPath& path, const Listed& message, const std::function<void(const Sink&)>& body) override;
  std::vector<AppendResult> AppendAll(const FolderPath& path, const std::vector<Outgoing>& messages) override;
  void SetFlags(uint32_t uid, const std::vector<std::string>& flags) override;
  void Remove(uint32_t uid) override;
  std::optional<uint64_t> LargestMessage() override;

  // Throws Error "no_rights" where the server has no ACL.
  std::vector<FolderRights> Rights(const FolderPath& path);
  void SetRights(const FolderPath& path, const FolderRights& rights);

  const ImapSession& session() const { return session_; }

  // What one MULTIAPPEND takes at most: the server holds all of it until the last one is there.
  static constexpr size_t kBatchMessages = 100;
  static constexpr uint64_t kBatchBytes = 8 << 20;
  // What one FETCH asks for at most. A larger message than kHeldMax is asked for alone, and goes on as it comes; others are held
  // until their UID is known.
  static constexpr size_t kReadMessages = 100;
  static constexpr uint64_t kReadBytes = 4 << 20;
  static constexpr uint64_t kHeldMax = 1 << 20;

 private:
  using Batch = std::vector<const Outgoing*>;

  void LearnNames();
  void OpenToWrite();
  bool Keeps(const std::string& flag) const;
  // The place of the first message with at least this UID, from 1; past the last one if there is none.
  uint32_t PlaceOf(uint32_t uid);
  // Of those that are there; what was listed lately is not asked for.
  std::map<uint32_t, uint64_t> SizesOf(const std::vector<uint32_t>& uids);
  std::map<uint32_t, uint64_t> AskForSizes(const std::vector<uint32_t>& uids);
  // Why it is not given; nothing: it was, or is no more.
  std::optional<NotGiven> ReadAlone(uint32_t uid, uint64_t bytes, const PieceSink& piece);
  std::vector<Listed> ListPlaces(uint32_t first, uint32_t last);
  uint32_t messages() const;
  std::vector<Appended> AppendBatch(const std::string& wire_name, const Batch& batch);
  void SendBody(const Outgoing& message);
  std::vector<Appended> AppendedUids(size_t count) const;

  ImapSession session_;
  NameStyle names_;
  std::vector<std::string> foreign_;  // Prefixes of other people's and of shared folders.
  std::optional<std::string> open_;   // On the wire.
  bool writable_ = false;
  std::map<uint32_t, uint64_t> sizes_;  // Of what was listed lately in the folder that is open.
};

}  // namespace reprise::mail
