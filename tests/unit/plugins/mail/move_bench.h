// The plugin under the real runner on a throw-away host, between two real Dovecots; and a look at what they have on their disks, which
// knows nothing of IMAP.
#pragma once

#include <algorithm>
#include <set>

#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {

using plugins::Answer;
using plugins::OnThrowawayHost;
using plugins::PluginBench;
using plugins::VERB_APPLY;
using plugins::VERB_PLAN;
using plugins::VERB_PROBE;
using plugins::VERB_VERIFY;

inline constexpr const char* kStateFolder = "/var/lib/reprise-plugins/mail";

// Folder, content, time, system flags: of every message in a Maildir, as files.
using OnDisk = std::multiset<std::string>;

inline std::vector<std::pair<std::string, fs::path>> FoldersOfMaildir(const fs::path& maildir) {
  std::vector<std::pair<std::string, fs::path>> folders;
  if (!fs::exists(maildir)) return folders;
  folders.emplace_back("INBOX", maildir);
  for (const auto& entry : fs::directory_iterator(maildir)) {
    const std::string name = entry.path().filename();
    if (entry.is_directory() && name.size() > 1 && name[0] == '.') folders.emplace_back(name, entry.path());
  }
  return folders;
}

// How many messages are there, without a look into them.
inline size_t CountInMaildir(const fs::path& maildir) {
  size_t count = 0;
  for (const auto& [name, folder] : FoldersOfMaildir(maildir)) {
    for (const char* part : {"new", "cur"}) {
      std::error_code none;
      for (fs::directory_iterator at(folder / part, none), end; at != end; at.increment(none)) ++count;
    }
  }
  return count;
}

inline OnDisk LookAtMaildir(const fs::path& maildir) {
  OnDisk all;
  for (const auto& [name, folder] : FoldersOfMaildir(maildir)) {
    for (const char* part : {"new", "cur"}) {
      if (!fs::exists(folder / part)) continue;
      for (const auto& entry : fs::directory_iterator(folder / part)) {
        const std::string file = entry.path().filename();
        std::string flags = file.find(":2,") == std::string::npos ? "" : file.substr(file.find(":2,") + 3);
        // Keywords are letters that each server deals out as it likes.
        std::erase_if(flags, [](char c) { return c >= 'a' && c <= 'z'; });
        struct stat found {};
        stat(entry.path().c_str(), &found);
        all.insert(name + " " + sdk::Sha256OfFile(entry.path()) + " " + std::to_string(found.st_mtime) + " " + flags);
      }
    }
  }
  return all;
}

class MoveSite : public MailSite {
 public:
  // `users` of both servers, with the quota each has in the new one.
  explicit MoveSite(const std::map<std::string, uint64_t>& users, Dovecot::Options old_options = {}, Dovecot::Options new_options = {}) {
    std::string roster = "mailbox,source_user,target_user,batch\n";
    int number = 0;
    for (const auto& [user, quota] : users) {
      old_options.users[user] = {"old-" + user};
      new_options.users[user] = {"new-" + user, quota};
      roster += "Boite " + std::to_string(++number) + " de " + user + "," + user + "," + user + ",lot-1\n";
    }
    old_ = &Server("old", std::move(old_options));
    new_ = &Server("new", std::move(new_options));
    Write("roster.csv", roster);
    Write("old.profile.json", ProfileJson(*old_).dump());
    LimitMessagesPerSecond(0);
  }

  Dovecot& old_server() { return *old_; }
  Dovecot& new_server() { return *new_; }
  void Write(const std::string& name, const std::string& content) {
    Spit(scratch.path / name, content);
    fs::permissions(scratch.path / name, fs::perms(0600));
  }
  // What the new server is given from now on, so that no machine's speed decides what a moment meets; 0: all that it takes.
  void LimitMessagesPerSecond(int most) {
    json profile = ProfileJson(*new_);
    if (most > 0) profile["limits"] = {{"messages_per_second", most}};
    Write("new.profile.json", profile.dump());
  }
  json Params(const json& more = json::object()) const {
    json params = {{"roster", (scratch.path / "roster.csv").string()}, {"batch", "lot-1"},
                   {"source", (scratch.path / "old.profile.json").string()}, {"target", (scratch.path / "new.profile.json").string()}};
    params.update(more);
    return params;
  }
  void Fill(const std::string& user, const FolderPath& path, int from, int to, size_t size = 300) {
    auto store = Connect(*old_, user);
    store->Create({path});
    std::vector<Outgoing> messages;
    for (int i = from; i < to; ++i) messages.push_back(ToSend(Numbered(i, size)));
    for (const AppendResult& result : store->AppendAll(path, messages)) {
      if (result.refused) throw *result.refused;
    }
  }
  static Message Numbered(int number, size_t size) {
    std::string body = "From: ward@hr1.example\r\nSubject: number " + std::to_string(number) + "\r\nMessage-ID: <" + std::to_string(number) +
                       "@hr1.example>\r\n\r\n";
    while (body.size() < size) body += "line " + std::to_string(number * 31 + int(body.size())) + "\r\n";
    return {body, number % 3 == 0 ? std::vector<std::string>{"\\Seen"} : std::vector<std::string>{}, {1'600'000'000 + number * 61, 120}};
  }
  OnDisk Old(const std::string& user) const { return LookAtMaildir(old_->home(user) / "Maildir"); }
  size_t CountNew(const std::string& user) const { return CountInMaildir(new_->home(user) / "Maildir"); }
  OnDisk New(const std::string& user) const { return LookAtMaildir(new_->home(user) / "Maildir"); }

 private:
  Dovecot* old_ = nullptr;
  Dovecot* new_ = nullptr;
};

// The claim of that name: "holds", "fails", "unknown"; empty: there is none.
inline std::string ClaimIn(const Answer& answer, const std::string& name) {
  if (!answer.done() || !answer.value.contains("claims")) return "";
  for (const json& claim : answer.value.at("claims")) {
    if (claim.at("name") == name) return claim.at("state");
  }
  return "";
}

inline double MeasureIn(const Answer& answer, const std::string& name, const std::string& subject) {
  if (!answer.done() || !answer.value.contains("measures")) return -1;
  for (const json& measure : answer.value.at("measures")) {
    if (measure.at("name") == name && measure.at("subject") == subject) return measure.at("value");
  }
  return -1;
}

// A throw-away host with /tmp on it, where the servers stand.
#define ON_MAIL_HOST(...) \
  NEEDS_DOVECOT();        \
  ON_THROWAWAY_HOST("mail", {}, [&](PluginBench& bench) { __VA_ARGS__(bench); })

}  // namespace reprise::mail
