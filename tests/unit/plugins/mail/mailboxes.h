// What tests of stores need: servers of one authority, profiles for them, a context, and mailboxes to look into.
#pragma once

#include "plugins/mail/imap_store.h"
#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/dovecot.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::mail {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

inline constexpr const char* kUser = "anne.durand@hr1.example";

struct Message {
  std::string body;
  std::vector<std::string> flags = {};
  InternalDate date = {1'660'000'000, 0};
};

inline std::string CodeOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const sdk::Error& error) {
    return error.code();
  }
  return "";
}

class MailSite {
 public:
  MailSite() : ca(scratch.path / "ca"), call_(json{{"verb", "apply"}, {"work_dir", scratch.path.string()}}),
               context(call_.call(), call_.request()) {}

  Dovecot& Server(const std::string& name, Dovecot::Options options = {}) {
    if (options.users.empty()) options.users[kUser] = {"sesame"};
    auto& server = servers_[name];
    server = std::make_unique<Dovecot>(scratch.path / name, ca, std::move(options));
    return *server;
  }

  json ProfileJson(const Dovecot& server) {
    const fs::path file = scratch.path / ("password-" + std::to_string(server.port()));
    Spit(file, server.master_password() + "\n");
    fs::permissions(file, fs::perms(0600));
    return {{"host", "127.0.0.1"}, {"port", server.port()}, {"ca_file", ca.file.string()}, {"auth", "plain"},
            {"login", "{user}*mover"}, {"password_file", file.string()}, {"silence_max", "20s"}};
  }
  std::unique_ptr<ImapStore> Connect(const json& profile_json, const std::string& user = kUser) {
    const Profile profile = ParseProfile(profile_json);
    Credentials credentials(context, profile);
    return std::make_unique<ImapStore>(context, profile, user, credentials, flow);
  }
  std::unique_ptr<ImapStore> Connect(const Dovecot& server, const std::string& user = kUser) { return Connect(ProfileJson(server), user); }

  void Cancel() { call_.cancelled = true; }

  Scratch scratch;
  const ThrowawayCa ca;

 private:
  sdk::FakeCall call_;
  std::map<std::string, std::unique_ptr<Dovecot>> servers_;

 public:
  const sdk::Context context;
  Flow flow;
};

inline Outgoing ToSend(const Message& message) {
  return {{0, message.body.size(), message.date, message.flags},
          [body = message.body](const Sink& sink) {
            for (size_t at = 0; at < body.size(); at += 60000) sink(std::string_view(body).substr(at, 60000));
          }};
}

inline Appended Put(Target& store, const FolderPath& path, const Message& message) {
  const Outgoing one = ToSend(message);
  return store.Append(path, one.message, one.body);
}

inline std::vector<Listed> ListAll(Source& store, uint32_t first = 1, uint32_t last = UINT32_MAX) {
  std::vector<Listed> all;
  store.List(first, last, [&](const Listed& one) { all.push_back(one); });
  return all;
}

inline std::string ReadAll(Source& store, uint32_t uid) {
  std::string body;
  if (!store.Read(uid, [&](std::string_view bytes) { body += bytes; })) return "(gone)";
  return body;
}

// A folder as text, in its order: what two stores must agree on.
inline std::vector<std::string> Everything(Source& store, const FolderPath& path, bool with_uid = false) {
  store.Open(path);
  std::vector<std::string> all;
  for (const Listed& one : ListAll(store)) {
    std::string flags;
    for (const std::string& flag : one.flags) flags += " " + flag;
    all.push_back((with_uid ? std::to_string(one.uid) + " " : "") + std::to_string(one.bytes) + " " + std::to_string(one.date.unix_seconds) +
                  flags + " " + sdk::Sha256OfText(ReadAll(store, one.uid)));
  }
  return all;
}

inline std::vector<FolderPath> PathsOf(const std::vector<Folder>& folders) {
  std::vector<FolderPath> paths;
  for (const Folder& folder : folders) paths.push_back(folder.path);
  return paths;
}

}  // namespace reprise::mail
