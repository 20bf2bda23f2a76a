// Mail servers in memory, deterministic, that can end the process or the connection before and after every effect. For the
// migration's decisions; what real servers do is tried with real ones.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "plugins/mail/imap_errors.h"
#include "plugins/mail/migration.h"
#include "plugins/mail/store.h"
#include "plugins/sdk/error.h"

namespace reprise::mail {

// What SIGKILL is to a process: nothing may catch it.
struct Killed {};

struct SimMessage {
  std::string content;
  InternalDate date;
  std::vector<std::string> flags;
};

struct SimFolder {
  uint32_t validity = 1000;
  uint32_t next = 1;
  std::map<uint32_t, SimMessage> messages;
  bool subscribed = false;
  std::vector<std::string> special_use;

  uint32_t Add(SimMessage message) {
    messages.emplace(next, std::move(message));
    return next++;
  }
  void Renumber() {
    std::map<uint32_t, SimMessage> old;
    old.swap(messages);
    validity += 7;
    next = 1;
    for (auto& [uid, message] : old) Add(std::move(message));
  }
};

struct SimServer {
  std::map<FolderPath, SimFolder> folders;
  uint64_t largest = 0;      // 0: any.
  uint64_t quota = std::numeric_limits<uint64_t>::max();  // Bytes of all messages.
  bool says_uids = true;     // UIDPLUS.
  bool says_next = true;
  bool keeps_dates = true;
  std::function<uint32_t(uint32_t uid)> lie;  // What it says of the UID that it gave.
  uint64_t reads = 0;

  uint64_t Bytes() const {
    uint64_t bytes = 0;
    for (const auto& [path, folder] : folders) {
      for (const auto& [uid, message] : folder.messages) bytes += message.content.size();
    }
    return bytes;
  }
};

enum class Fault { kKilled, kConnectionLost };

// Counts the instants of a run, and makes one of them the last.
struct Fate {
  uint64_t at = 0;       // 0: never.
  Fault fault = Fault::kKilled;
  uint64_t passed = 0;
  // Called at each instant besides: the world may change.
  std::function<void(uint64_t)> meanwhile = [](uint64_t) {};

  void Instant() {
    ++passed;
    meanwhile(passed);
    if (at == 0 || passed != at) return;
    if (fault == Fault::kKilled) throw Killed();
    throw sdk::Error("connection_lost", "the connection was lost");
  }
};

class SimStore final : public Target {
 public:
  SimStore(SimServer& server, Fate& fate) : server_(server), fate_(fate) {}

  std::vector<Folder> Folders() override {
    fate_.Instant();
    std::vector<Folder> folders;
    for (const auto& [path, folder] : server_.folders) folders.push_back({path, true, folder.subscribed, folder.special_use});
    return folders;
  }
  FolderState Open(const FolderPath& path) override {
    fate_.Instant();
    path_ = path;
    const SimFolder& folder = Opened();
    return {folder.validity, server_.says_next ? folder.next : 0, folder.messages.size()};
  }
  void List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) override {
    fate_.Instant();
    const SimFolder folder = Opened();
    for (auto at = folder.messages.lower_bound(first); at != folder.messages.end() && at->first <= last; ++at) {
      each({at->first, at->second.content.size(), at->second.date, at->second.flags});
    }
  }
  bool Read(uint32_t uid, const Sink& sink) override {
    fate_.Instant();
    ++server_.reads;
    const auto found = Opened().messages.find(uid);
    if (found == Opened().messages.end()) return false;
    const std::string content = found->second.content;
    // In two pieces: nobody may take the first for the whole.
    sink(std::string_view(content).substr(0, content.size() / 2));
    sink(std::string_view(content).substr(content.size() / 2));
    return true;
  }
  void Create(const Folder& folder) override {
    fate_.Instant();
    SimFolder& made = server_.folders[folder.path];
    made.subscribed = made.subscribed || folder.subscribed;
    made.special_use = folder.special_use;
    fate_.Instant();
  }
  Appended Append(const FolderPath& path, const Listed& message, const std::function<void(const Sink&)>& body) override {
    fate_.Instant();
    SimFolder& folder = server_.folders.at(path);
    SimMessage made{"", message.date, message.flags};
    body([&](std::string_view piece) { made.content += piece; });
    if (made.content.size() != message.bytes) throw sdk::Error("internal", "other bytes than were said");
    if (server_.largest != 0 && message.bytes > server_.largest) throw sdk::Error("too_large", "too large");
    if (made.content.find("MALFORMED") != std::string::npos) throw sdk::Error("malformed", "malformed");
    if (server_.Bytes() + message.bytes > server_.quota) throw sdk::Error("over_quota", "over quota");
    if (!server_.keeps_dates) made.date = {1'700'000'000, 0};
    const uint32_t uid = folder.Add(std::move(made));
    fate_.Instant();  // Done, and nobody was told.
    if (!server_.says_uids) return {};
    return {folder.validity, server_.lie ? server_.lie(uid) : uid};
  }
  std::vector<AppendResult> AppendAll(const FolderPath& path, const std::vector<Outgoing>& messages) override {
    std::vector<AppendResult> results;
    for (const Outgoing& one : messages) {
      try {
        results.push_back({Append(path, one.message, one.body), std::nullopt});
      } catch (const sdk::Error& error) {
        if (error.code() == "connection_lost") throw;
        results.push_back({{}, error});
        if (IsAboutTheMessage(error.code())) continue;
        while (results.size() < messages.size()) results.push_back({{}, error});
        break;
      }
    }
    return results;
  }
  void SetFlags(uint32_t uid, const std::vector<std::string>& flags) override {
    fate_.Instant();
    const auto found = Opened().messages.find(uid);
    if (found != Opened().messages.end()) found->second.flags = flags;
    fate_.Instant();
  }
  void Remove(uint32_t uid) override {
    fate_.Instant();
    Opened().messages.erase(uid);
    fate_.Instant();
  }
  std::optional<uint64_t> LargestMessage() override {
    fate_.Instant();
    return std::nullopt;
  }

 private:
  SimFolder& Opened() {
    const auto found = server_.folders.find(path_);
    if (found == server_.folders.end()) throw sdk::Error("no_folder", "there is no such folder");
    return found->second;
  }

  SimServer& server_;
  Fate& fate_;
  FolderPath path_;
};

// Both servers, and a ledger on disk.
class SimMove {
 public:
  // In memory, where there is such a place: a process that ends leaves the same files, and syncing them costs nothing.
  SimMove() {
    const std::filesystem::path memory = "/dev/shm";
    std::string made = (std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) / "reprise-mail-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder for ledgers");
    folder_ = made;
    options.spool = folder_;
    options.window_messages = 3;
    options.list_window = 4;
  }
  ~SimMove() { std::filesystem::remove_all(folder_); }
  SimMove(const SimMove&) = delete;
  SimMove& operator=(const SimMove&) = delete;

  std::filesystem::path LedgerFile() const { return folder_ / "box.ledger"; }
  void LoseLedger() const {
    for (const char* end : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(LedgerFile().string() + end);
  }

  // One process: opens the ledger, one pass. What it throws goes through.
  MoveCounts Pass(Fate& fate) {
    Ledger ledger = Ledger::OpenToWrite(LedgerFile());
    ledger.at_commit = [&] { fate.Instant(); };
    SimStore from(source, fate), to(target, fate);
    Migration migration(from, to, ledger, options, watch);
    const MoveCounts counts = migration.Pass();
    many_vanished = migration.many_vanished();
    return counts;
  }
  MoveCounts Pass() {
    Fate none;
    return Pass(none);
  }
  // Passes until one changes nothing.
  void Finish() {
    for (int i = 0; i < 10; ++i) {
      if (Pass().changes() == 0) return;
    }
    throw std::runtime_error("it never ends");
  }

  SimServer source, target;
  MoveOptions options;
  Watch watch;
  bool many_vanished = false;

 private:
  std::filesystem::path folder_;
};

using Content = std::tuple<std::string, int64_t, std::vector<std::string>>;

inline std::vector<Content> InOrder(const SimServer& server, const FolderPath& path) {
  std::vector<Content> list;
  const auto found = server.folders.find(path);
  if (found == server.folders.end()) return list;
  for (const auto& [uid, message] : found->second.messages) list.emplace_back(message.content, message.date.unix_seconds, message.flags);
  return list;
}
inline std::vector<Content> Sorted(std::vector<Content> list) {
  std::sort(list.begin(), list.end());
  return list;
}

inline SimMessage MessageOf(int number, std::vector<std::string> flags = {}) {
  return {"Subject: " + std::to_string(number) + "\r\n\r\nbody of " + std::to_string(number * 7919) + "\r\n", {1'660'000'000 + number * 60, 120}, std::move(flags)};
}

}  // namespace reprise::mail
