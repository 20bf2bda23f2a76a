// What lets us in: passwords and tokens, from files of this host that only root reads, or from a program's output. Held in
// memory only, and wiped; in no argument, environment, log, message or file of ours.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "plugins/mail/profile.h"
#include "plugins/sdk/context.h"

namespace reprise::mail {

// A text that is wiped when it is no longer needed. Never grows, so that no copy of it is left behind.
class Secret {
 public:
  // Wipes `text`.
  explicit Secret(std::string&& text);
  ~Secret();
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

// Wipes what was a secret.
void Wipe(std::string& text);

// Throws Error: "auth_changed" (no file, another's, readable by others, empty), naming the file.
std::unique_ptr<Secret> ReadSecretFile(const std::string& path);

// All secrets of one server, shared by the connections of a verb. Thread-safe.
class Credentials {
 public:
  using Held = std::shared_ptr<const Secret>;

  Credentials(const sdk::Context& context, const Profile& profile) : context_(context), profile_(profile) {}

  // Of this user. A token that is about to expire is renewed first. Throws Error: "auth_changed", "auth_failed" (the program
  // that should print a token did not).
  Held For(const std::string& user);
  // The server did not take `refused`: another one, or nothing if there is no other.
  Held After(const std::string& user, const Held& refused);

 private:
  using Clock = std::chrono::system_clock;
  struct Entry {
    Held secret;
    Clock::time_point renew_from = Clock::time_point::max();
  };

  // Under which name the secret is kept: tokens of a command are each for one user.
  std::string KeyOf(const std::string& user) const;
  Entry Fetch(const std::string& user);
  std::unique_ptr<Secret> AskCommand(const std::string& user);

  const sdk::Context& context_;
  const Profile profile_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

// When a JWT says that it ends; nothing of any other token.
std::optional<std::chrono::system_clock::time_point> ExpiryOf(std::string_view token);

}  // namespace reprise::mail
