// What a mail server's refusals mean: its response codes (RFC 5530 and others) as codes of sdk::Error, and which of them may be
// tried again. What the server said in words may name people and folders: it is kept apart from the message, for the mail
// lead's report only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sdk/error.h"

namespace reprise::mail {

enum class Again {
  kNever,        // The same would be said again.
  kLater,        // After a while, on the same connection or a new one.
  kReconnect,    // On a new connection.
  kNewSecret,    // Once, with a new token.
};

struct CodeRow {
  std::string_view code;      // Of sdk::Error.
  std::string_view response;  // The server's response code; several rows may have one code. Empty: ours alone.
  Again again;
  std::string_view meaning;
};
const std::vector<CodeRow>& CodeTable();

// kNever for what is not in the table.
Again WhetherAgain(std::string_view code);

// Of a refused append: the target takes others, only this one not.
bool IsAboutTheMessage(std::string_view code);

// Of a folder, its subscription, or flags: the server does not do this, and goes on.
bool IsFinalRefusal(std::string_view code);

class StoreError : public sdk::Error {
 public:
  StoreError(std::string code, const std::string& message, std::string said = "", std::string cause = "")
      : sdk::Error(std::move(code), message), said_(std::move(said)), cause_(std::move(cause)) {}

  // The server's own words: may have names in them. Never into logs or results.
  const std::string& said() const { return said_; }
  // Of "connection_lost": the code of what the server gave as its reason ("limited", "unavailable"); else empty.
  const std::string& cause() const { return cause_; }
  // How long it asks to be left alone ("Suggested Backoff Time: 30000 milliseconds"); zero if it does not say.
  std::chrono::milliseconds suggested_wait() const;

 private:
  std::string said_, cause_;
};

// Of a command that the server refused: `response` as "OVERQUOTA", "" if it gave none; `words` as it put it.
StoreError RefusalOf(std::string_view command, std::string_view response, std::string_view words);
// "* BYE [UNAVAILABLE] too many connections" found in what came last; "connection_lost" without one.
StoreError FarewellOf(std::string_view received);

}  // namespace reprise::mail
