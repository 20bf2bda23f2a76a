#include "plugins/mail/imap_errors.h"

#include <algorithm>
#include <charconv>

namespace reprise::mail {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// Of servers that give no code, or one that says less than their words.
struct WordsRow {
  std::string_view words;
  std::string_view code;
};
constexpr WordsRow kWords[] = {
    {"too many connections", "limited"},
    {"number of connections", "limited"},
    {"throttled", "limited"},
    {"backoff time", "limited"},
    {"message size", "too_large"},
    {"message too large", "too_large"},
    {"mail size", "too_large"},
    {"too big", "too_large"},
    {"quota exceeded", "over_quota"},
    {"mailbox is full", "over_quota"},
    {"mailbox doesn't exist", "no_folder"},
    {"server unavailable", "unavailable"},
    {"shutting down", "unavailable"},
};

std::string_view CodeOfWords(std::string_view words) {
  const std::string lower = Lower(words);
  for (const WordsRow& row : kWords) {
    if (lower.find(row.words) != std::string::npos) return row.code;
  }
  return "";
}

}  // namespace

const std::vector<CodeRow>& CodeTable() {
  static const std::vector<CodeRow> table = {
      {"over_quota", "OVERQUOTA", Again::kNever, "the mailbox is full"},
      {"too_large", "TOOBIG", Again::kNever, "the message is larger than the server takes"},
      {"limited", "LIMIT", Again::kLater, "the server asks for less, or for fewer connections"},
      {"limited", "THROTTLED", Again::kLater, "the same"},
      {"unavailable", "UNAVAILABLE", Again::kLater, "a part of the server is down"},
      {"in_use", "INUSE", Again::kLater, "another session has what is needed"},
      {"server_error", "SERVERBUG", Again::kLater, "the server failed"},
      {"server_error", "CONTACTADMIN", Again::kNever, "the server's operator must help"},
      {"corrupt", "CORRUPTION", Again::kNever, "the server says that the mailbox is damaged"},
      {"no_permission", "NOPERM", Again::kNever, "the account may not do this"},
      {"no_folder", "NONEXISTENT", Again::kNever, "the folder is not there"},
      {"no_folder", "TRYCREATE", Again::kNever, "the same"},
      {"exists", "ALREADYEXISTS", Again::kNever, "the folder is there already"},
      {"bad_name", "CANNOT", Again::kNever, "the server cannot have such a name"},
      {"vanished", "EXPUNGEISSUED", Again::kLater, "the message is no more"},
      {"auth_failed", "AUTHENTICATIONFAILED", Again::kNewSecret, "user or secret is wrong, or the token is too old"},
      {"auth_failed", "EXPIRED", Again::kNewSecret, "the secret is too old"},
      {"auth_failed", "AUTHORIZATIONFAILED", Again::kNever, "the account may not act for this user"},
      {"auth_failed", "PRIVACYREQUIRED", Again::kNever, "the server wants another way to log in"},
      {"protocol", "CLIENTBUG", Again::kNever, "the server does not understand us"},
      {"too_large", "UNKNOWN-CTE", Again::kNever, "the server cannot take this message"},
      {"connection_lost", "", Again::kReconnect, "the connection ended: what was under way, nobody knows"},
      {"unreachable", "", Again::kReconnect, "nobody answers at this address"},
      {"login_cut", "", Again::kReconnect, "the server ends the connection while the user logs in"},
      {"bad_answer", "", Again::kReconnect, "what the server sends is no IMAP"},
      {"certificate_refused", "", Again::kNever, "the server cannot prove who it is"},
      {"refused", "", Again::kNever, "refused without a reason that is known"},
      {"not_given", "", Again::kNever, "the message is listed, and not given"},
      {"changed", "", Again::kNever, "the body was not as long as announced: nothing was appended"},
      {"auth_changed", "", Again::kNever, "the file of the secret is not as it must be"},
      {"cancelled", "", Again::kNever, "the verb was asked to end"},
      {"timed_out", "", Again::kNever, "the verb's time is over"},
  };
  return table;
}

Again WhetherAgain(std::string_view code) {
  const auto& table = CodeTable();
  const auto row = std::find_if(table.begin(), table.end(), [&](const CodeRow& one) { return one.code == code; });
  return row == table.end() ? Again::kNever : row->again;
}

bool IsAboutTheMessage(std::string_view code) {
  return code == "too_large" || code == "malformed" || code == "refused" || code == "changed" || code == "protocol" || code == "bad_name";
}

bool IsFinalRefusal(std::string_view code) { return code == "bad_name" || code == "refused" || code == "no_permission" || code == "protocol"; }

std::chrono::milliseconds StoreError::suggested_wait() const {
  const std::string lower = Lower(said_);
  constexpr std::string_view kMark = "backoff time:";
  const size_t found = lower.find(kMark);
  if (found == std::string::npos) return {};
  size_t at = found + kMark.size();
  while (at < lower.size() && lower[at] == ' ') ++at;
  int64_t value = 0;
  std::from_chars(lower.data() + at, lower.data() + lower.size(), value);
  return std::chrono::milliseconds(std::clamp<int64_t>(value, 0, 3600 * 1000));
}

StoreError RefusalOf(std::string_view command, std::string_view response, std::string_view words) {
  const std::string_view told = CodeOfWords(words);
  std::string_view code = "refused";
  std::string_view meaning = "refused without a reason that is known";
  const auto& table = CodeTable();
  const auto by_response = std::find_if(table.begin(), table.end(), [&](const CodeRow& one) {
    return !response.empty() && Lower(one.response) == Lower(response);
  });
  if (by_response != table.end()) code = by_response->code, meaning = by_response->meaning;
  // A message over the limit is refused with [LIMIT] by some: waiting would not make it smaller.
  if (!told.empty() && (code == "refused" || code == "limited")) {
    code = told;
    meaning = std::find_if(table.begin(), table.end(), [&](const CodeRow& one) { return one.code == code; })->meaning;
  }
  std::string message = "the mail server answered " + std::string(command) + " with " +
                        (response.empty() ? std::string("a refusal") : "[" + std::string(response) + "]") + ": " + std::string(meaning);
  return StoreError(std::string(code), message, std::string(words));
}

StoreError FarewellOf(std::string_view received) {
  const size_t found = received.rfind("* BYE ");
  if (found == std::string_view::npos || (found > 0 && received[found - 1] != '\n')) {
    return StoreError("connection_lost", "the mail server closed the connection");
  }
  std::string_view words = received.substr(found + 6);
  words = words.substr(0, words.find_first_of("\r\n"));
  std::string_view response;
  if (!words.empty() && words[0] == '[') {
    response = words.substr(1, words.find_first_of(" ]") - 1);
  }
  StoreError refusal = RefusalOf("BYE", response, words);
  // Whatever was under way, its fate is unknown: that is the code.
  return StoreError("connection_lost", "the mail server ended the connection: " + refusal.code(), std::string(words),
                    refusal.code());
}

}  // namespace reprise::mail
