// A mail server that does what no server should: a small IMAP one of a single folder, whose answers a test replaces. What real
// servers do is tried with real ones (dovecot.h).
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/unit/plugins/mail/loopback.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {

class OddServer {
 public:
  struct Command {
    std::string tag, name, rest;  // "UID FETCH", "1:5 (UID RFC822.SIZE)"
  };
  struct Stored {
    std::string flags, date, body;
  };
  // One connection.
  class Talk {
   public:
    Talk(SSL* ssl, const std::atomic<bool>& over) : ssl_(ssl), over_(over) {}
    // False: the client is gone, or the server ends.
    bool Say(std::string_view bytes) {
      size_t count = 0;
      while (!over_ && !bytes.empty()) {
        if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count) != 1) return false;
        bytes.remove_prefix(count);
        said_ += count;
      }
      return !over_;
    }
    std::optional<std::string> Line() {
      std::string line;
      for (char c = 0; Get(c);) {
        if (c == '\n') return line;
        if (c != '\r') line += c;
      }
      return std::nullopt;
    }
    std::string Bytes(size_t count) {
      std::string bytes;
      for (char c = 0; bytes.size() < count && Get(c);) bytes += c;
      return bytes;
    }
    uint64_t said() const { return said_; }

   private:
    bool Get(char& c) {
      if (at_ == buffer_.size()) {
        buffer_.resize(65536);
        size_t count = 0;
        if (over_ || SSL_read_ex(ssl_, buffer_.data(), buffer_.size(), &count) != 1) count = 0;
        buffer_.resize(count);
        at_ = 0;
        if (count == 0) return false;
      }
      c = buffer_[at_++];
      return true;
    }
    SSL* ssl_;
    const std::atomic<bool>& over_;
    std::string buffer_;
    size_t at_ = 0;
    uint64_t said_ = 0;
  };
  // What it says instead of what is right; true: that was all.
  using Instead = std::function<bool(Talk&, const Command&)>;

  OddServer(const fs::path& folder, const ThrowawayCa& ca, Instead instead) : instead_(std::move(instead)) {
    signal(SIGPIPE, SIG_IGN);
    fs::create_directories(folder);
    ca.Issue(folder / "server.pem", folder / "server.key", {});
    settings_.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate_file(settings_.get(), (folder / "server.pem").c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(settings_.get(), (folder / "server.key").c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("no certificate for the odd server");
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~OddServer() {
    over_ = true;
    shutdown(listening_.get(), SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      if (connection_) shutdown(connection_.get(), SHUT_RDWR);
    }
    thread_.join();
  }

  uint16_t port() const { return listening_.port(); }
  std::map<uint32_t, Stored> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  // Returns its UID.
  uint32_t Add(Stored message) {
    const std::lock_guard lock(mutex_);
    messages_.emplace(next_, std::move(message));
    return next_++;
  }
  // Reads the messages of an APPEND off the connection.
  static std::vector<Stored> TakeAppend(Talk& talk, const Command& command) {
    std::vector<Stored> taken;
    std::string line = command.rest;
    for (size_t brace = 0; (brace = line.rfind('{')) != std::string::npos && line.ends_with('}');) {
      Stored one;
      const size_t open = line.find('('), close = line.find(')'), quote = line.find('"', close);
      one.flags = line.substr(open + 1, close - open - 1);
      one.date = line.substr(quote, line.find('"', quote + 1) + 1 - quote);
      const size_t bytes = std::stoull(line.substr(brace + 1));
      if (line[line.size() - 2] != '+') talk.Say("+ go on\r\n");
      one.body = talk.Bytes(bytes);
      if (one.body.size() < bytes) return {};  // The client went away: nothing of it is kept.
      taken.push_back(std::move(one));
      line = talk.Line().value_or("");
    }
    return taken;
  }

  static constexpr uint32_t kValidity = 4711;
  std::string greeting = "* OK odd\r\n";
  std::string capabilities = "IMAP4rev1 SASL-IR LITERAL+ UIDPLUS MULTIAPPEND AUTH=PLAIN";

 private:
  void Run() {
    while (!over_) {
      sdk::Fd accepted(listening_.Accept());
      if (!accepted) continue;
      {
        const std::lock_guard lock(mutex_);
        connection_ = std::move(accepted);
      }
      const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(settings_.get()), SSL_free);
      SSL_set_fd(ssl.get(), connection_.get());
      if (!over_ && SSL_accept(ssl.get()) == 1) {
        Talk talk(ssl.get(), over_);
        Serve(talk);
      }
      const std::lock_guard lock(mutex_);
      connection_.Reset();
    }
  }

  void Serve(Talk& talk) {
    if (instead_(talk, {"*", "greeting", ""}) || !talk.Say(greeting)) return;
    while (const auto line = talk.Line()) {
      Command command;
      std::istringstream words(*line);
      words >> command.tag >> command.name;
      std::string more;
      if (command.name == "UID" && words >> more) command.name += " " + more;
      std::getline(words >> std::ws, command.rest);
      if (!instead_(talk, command) && !Answer(talk, command)) return;
    }
  }

  bool Answer(Talk& talk, const Command& command) {
    std::string data;
    if (command.name == "LOGOUT") return false;
    if (command.name == "CAPABILITY") data = "* CAPABILITY " + capabilities + "\r\n";
    if (command.name == "LIST" || command.name == "LSUB") {
      data = "* " + command.name + (command.rest.ends_with("\"\" \"\"") ? " (\\Noselect) \"/\" \"\"\r\n" : " () \"/\" INBOX\r\n");
    }
    if (command.name == "EXAMINE" || command.name == "SELECT") {
      const std::lock_guard lock(mutex_);
      data = "* FLAGS (\\Seen)\r\n* " + std::to_string(messages_.size()) + " EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY " +
             std::to_string(kValidity) + "] x\r\n* OK [UIDNEXT " + std::to_string(next_) + "] x\r\n";
    }
    if (command.name == "FETCH" || command.name == "UID FETCH") data = Fetch(command);
    if (command.name == "APPEND") return talk.Say(command.tag + Append(TakeAppend(talk, command)) + "\r\n");
    return talk.Say(data + command.tag + " OK done\r\n");
  }

  // " OK [APPENDUID 4711 5:7] done"
  std::string Append(std::vector<Stored> taken) {
    if (taken.empty()) return " BAD nothing";
    const uint32_t first = Add(std::move(taken[0]));
    for (size_t i = 1; i < taken.size(); ++i) Add(std::move(taken[i]));
    return " OK [APPENDUID " + std::to_string(kValidity) + " " + std::to_string(first) +
           (taken.size() > 1 ? ":" + std::to_string(first + taken.size() - 1) : "") + "] done";
  }

  std::string Fetch(const Command& command) const {
    const std::lock_guard lock(mutex_);
    std::string data;
    uint32_t place = 0;
    for (const auto& [uid, one] : messages_) {
      if (!Has(command.rest.substr(0, command.rest.find(' ')), command.name == "FETCH" ? ++place : (++place, uid))) continue;
      data += "* " + std::to_string(place) + " FETCH (UID " + std::to_string(uid);
      if (command.rest.find("FLAGS") != std::string::npos) data += " FLAGS (" + one.flags + ") INTERNALDATE " + one.date;
      if (command.rest.find("RFC822.SIZE") != std::string::npos) data += " RFC822.SIZE " + std::to_string(one.body.size());
      if (command.rest.find("BODY") != std::string::npos) data += " BODY[] {" + std::to_string(one.body.size()) + "}\r\n" + one.body;
      data += ")\r\n";
    }
    return data;
  }
  // "1:3,7"
  static bool Has(const std::string& set, uint32_t number) {
    std::istringstream ranges(set);
    for (std::string range; std::getline(ranges, range, ',');) {
      const uint32_t first = uint32_t(std::stoul(range));
      const size_t colon = range.find(':');
      if (number >= first && number <= (colon == std::string::npos ? first : uint32_t(std::stoul(range.substr(colon + 1))))) return true;
    }
    return false;
  }

  const Instead instead_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> settings_{nullptr, SSL_CTX_free};
  const Listener listening_;
  sdk::Fd connection_;
  mutable std::mutex mutex_;
  std::map<uint32_t, Stored> messages_;
  uint32_t next_ = 1;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace reprise::mail
