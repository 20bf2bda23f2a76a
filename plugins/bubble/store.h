// What the gateway remembers of its bubbles, in files: the state of each, and the rules made from it, which the boot
// hook loads. Written whole or not at all; one verb at a time changes it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugins/bubble/state.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/notes.h"

namespace reprise::bubble {

inline constexpr const char* kFolder = "/var/lib/reprise-plugins/bubble";

class Store {
 public:
  Store() : notes_("bubble") {}

  // Throws Error "notes_broken".
  std::optional<Bubble> Get(const std::string& bubble) const;
  // Throws Error "no_bubble".
  Bubble Must(const std::string& bubble) const;
  void Put(const Bubble& bubble) const;
  // With its rules and its former state. True if there was anything.
  bool Forget(const std::string& bubble) const;
  // Of this gateway, but for the one of that name.
  std::vector<Bubble> All(const std::string& but = "") const;

  // What rollback brings back, kept under `key`: an object, whatever the action likes.
  std::optional<sdk::Json> Before(const std::string& key) const { return notes_.Get(key); }
  void PutBefore(const std::string& key, const sdk::Json& before) const { notes_.Put(key, before); }
  bool ForgetBefore(const std::string& key) const { return notes_.Forget(key); }

  std::filesystem::path File(const std::string& bubble, const char* ending) const;

  // Held until it is destroyed; makes the folder. Throws Error "busy".
  sdk::Fd Lock(const sdk::Context& context) const;

 private:
  sdk::Notes notes_;
};

int64_t NowMs();

}  // namespace reprise::bubble
