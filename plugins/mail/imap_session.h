// One IMAP session: connected, proven, logged in. Commands are written here; what the server answers is read by libetpan, over
// our own TLS stream, so that certificates, deadlines, cancelling and counting are in one place.
//
// Throws StoreError (imap_errors.h). After "connection_lost", "bad_answer", "timed_out" or "cancelled" it is of no more use.
// Not thread-safe.
#pragma once

#include <libetpan/mailimap.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "plugins/mail/credentials.h"
#include "plugins/mail/imap_errors.h"
#include "plugins/mail/tls_stream.h"

namespace reprise::mail {

class ImapSession {
 public:
  // Logs in for `user`; a token that is refused is renewed once.
  ImapSession(const sdk::Context& context, const Profile& profile, const std::string& user, Credentials& credentials, Flow& flow);
  ~ImapSession();
  ImapSession(const ImapSession&) = delete;
  ImapSession& operator=(const ImapSession&) = delete;

  // "LITERAL+", as the server says it.
  bool Can(const std::string& capability) const { return capabilities_.count(capability) > 0; }
  const std::set<std::string>& capabilities() const { return capabilities_; }

  // Sends a command and reads its answer. A refusal throws. What came with it is in info() until the next one.
  void Ask(const std::string& command, std::string_view name);
  const mailimap_response_info& info() const { return *imap_->imap_response_info; }
  const mailimap_selection_info* selection() const { return imap_->imap_selection_info; }
  // How many messages of open folders the server has said were expunged; grows.
  uint64_t expunged() const { return expunged_; }
  // EXAMINE or SELECT of a name as on the wire.
  void Select(const std::string& wire_name, bool to_write);
  // What a FETCH of bodies answers, as it comes: the bytes of a message, then the response that they were in. Of a response that is
  // about something else only its end.
  class Bodies {
   public:
    virtual ~Bodies() = default;
    virtual void Bytes(std::string_view bytes) = 0;
    virtual void End(const mailimap_msg_att& response) = 0;
  };
  // What `bodies` throws, and what the server refuses, is thrown once the answer is read, or the session is given up for it.
  void AskForBodies(const std::string& command, std::string_view name, Bodies& bodies);

  // In pieces: a tag, what is written after it, the answer to a tag. Several may be under way.
  int Begin(std::string_view text);
  void Write(std::string_view bytes);
  void Flush();
  // Waits for "+". False: the server refuses instead, and Finish throws why.
  bool Continues();
  void Finish(int tag, std::string_view name);
  // Of no more use: something is half said.
  void Abandon();

 private:
  static ssize_t ReadLow(mailstream_low* low, void* into, size_t max);
  static ssize_t WriteLow(mailstream_low* low, const void* bytes, size_t size);

  void Greet();
  void Close();
  void LogIn(const Profile& profile, const std::string& user, Credentials& credentials);
  void TryToLogIn(const Profile& profile, const std::string& user, std::string_view secret);
  void LearnCapabilities();
  // What a result of libetpan stands for, if it is no success.
  void Check(int result, int tag, std::string_view name);
  // Nothing: no refusal of that tag came.
  std::optional<StoreError> Refused(int tag, std::string_view name) const;
  [[noreturn]] void Broken(std::string_view name);

  const sdk::Context& context_;
  TlsStream stream_;
  mailimap* imap_ = nullptr;
  mailstream_low_driver driver_{};
  std::string last_;              // The end of what was received: has a "* BYE", if it ends.
  std::exception_ptr failure_;    // Of the stream: no exception passes through C.
  std::set<std::string> capabilities_;
  bool line_read_ = false;        // The first line of an answer is there already.
  uint64_t expunged_ = 0;
  int64_t answer_bytes_ = 0;      // Of the answer that is being read, without bodies.
  bool over_ = false;
};

// As IMAP quotes it; without what cannot be quoted.
std::string Quoted(std::string_view text);

}  // namespace reprise::mail
