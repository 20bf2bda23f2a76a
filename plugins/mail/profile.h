// A mail server, or a tree of files that one has left, as data: where it is, how to come in, what may be asked of it. Its JSON is
// in profiles/; a step gives it as an artifact or a parameter.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/mail/store.h"
#include "plugins/mail/tls_stream.h"
#include "plugins/sdk/params.h"

namespace reprise::mail {

enum class StoreKind { kImap, kMaildir, kMbox };
enum class Auth { kPlain, kLogin, kXoauth2 };

struct Limits {
  int connections = 4;            // At one time, of one verb.
  double messages_per_second = 0;  // 0: as fast as it goes.
  uint64_t bytes_per_second = 0;   // Likewise, both ways together.
  uint64_t message_bytes = 0;      // Largest message; 0: what the server says.
};

struct Profile {
  StoreKind kind = StoreKind::kImap;
  // Of IMAP.
  Endpoint endpoint;
  Auth auth = Auth::kPlain;
  std::string login = "{user}";  // "{user}*mover": as a master user on behalf of whom it is about.
  std::string password_file;     // plain, login. A file of this host, 0600.
  std::string token_file;        // xoauth2: a token for all, or a JSON object from user to token.
  std::vector<std::string> token_command;  // xoauth2: prints a token; gets the user's name as a line of its standard input.
  Limits limits;
  std::map<std::string, FolderPath> folders;  // Special use -> its folder here, if the server does not say itself.
  // Of files: "/srv/restored/mail/{domain}/{local}/Maildir", of mbox a folder of files.
  std::string root;
};

// Throws Error "bad_profile" naming the key, what it has and what was expected.
Profile ParseProfile(const sdk::Json& json);

// `text` with {user}, {local} and {domain} replaced. Throws Error "bad_user" if `user` has what a name of a file may not have.
std::string Expand(const std::string& text, const std::string& user);

}  // namespace reprise::mail
