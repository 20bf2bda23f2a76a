// Stands between a client and a real Dovecot, TLS on both sides, and puts other words into the server's mouth: a test gets each line that
// the server says, literals apart, and gives back what the client hears.
#pragma once

#include <openssl/ssl.h>
#include <poll.h>

#include <atomic>
#include <list>
#include <thread>

#include "tests/unit/plugins/mail/loopback.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {

class AlteringProxy {
 public:
  // Called by one thread for each connection. The line has its end.
  using Alter = std::function<std::string(const std::string& line)>;

  AlteringProxy(const fs::path& folder, const ThrowawayCa& ca, uint16_t server_port, Alter alter) : server_port_(server_port), alter_(std::move(alter)) {
    signal(SIGPIPE, SIG_IGN);
    fs::create_directories(folder);
    ca.Issue(folder / "server.pem", folder / "server.key", {});
    to_client_.reset(SSL_CTX_new(TLS_server_method()));
    to_server_.reset(SSL_CTX_new(TLS_client_method()));
    if (SSL_CTX_use_certificate_file(to_client_.get(), (folder / "server.pem").c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(to_client_.get(), (folder / "server.key").c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("no certificate for the proxy");
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~AlteringProxy() {
    over_ = true;
    thread_.join();
    for (std::thread& one : connections_) one.join();
  }

  uint16_t port() const { return listening_.port(); }

 private:
  using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

  void Run() {
    while (!over_) {
      pollfd wanted = {listening_.get(), POLLIN, 0};
      if (poll(&wanted, 1, 20) <= 0) continue;
      const int client = listening_.Accept();
      if (client >= 0) connections_.emplace_back([this, client] { Serve(sdk::Fd(client)); });
    }
  }

  void Serve(sdk::Fd client) {
    const sdk::Fd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(server_port_);
    const Ssl here(SSL_new(to_client_.get()), SSL_free), there(SSL_new(to_server_.get()), SSL_free);
    SSL_set_fd(here.get(), client.get());
    SSL_set_fd(there.get(), server.get());
    for (SSL* one : {here.get(), there.get()}) SSL_clear_mode(one, SSL_MODE_AUTO_RETRY);
    if (SSL_accept(here.get()) != 1 || connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        SSL_connect(there.get()) != 1) {
      return;
    }
    std::string said;      // Of the server, not yet passed on.
    uint64_t literal = 0;  // Of it, so many bytes are passed on as they are.
    while (!over_) {
      pollfd wanted[] = {{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
      poll(wanted, 2, 20);
      if (wanted[0].revents != 0 && !Take(here.get(), [&](std::string_view bytes) { return Say(there.get(), bytes); })) return;
      if (wanted[1].revents == 0) continue;
      const bool goes_on = Take(there.get(), [&](std::string_view bytes) { return said += bytes, true; });
      if (!PassOn(here.get(), said, literal) || !goes_on) return;
    }
  }

  bool PassOn(SSL* client, std::string& said, uint64_t& literal) {
    for (;;) {
      if (literal > 0) {
        const std::string some = said.substr(0, literal);
        if (some.empty()) return true;
        if (!Say(client, some)) return false;
        literal -= some.size();
        said.erase(0, some.size());
        continue;
      }
      const size_t end = said.find('\n');
      if (end == std::string::npos) return true;
      const std::string line = said.substr(0, end + 1);
      said.erase(0, end + 1);
      if (const size_t brace = line.rfind('{'); brace != std::string::npos && line.ends_with("}\r\n")) literal = std::stoull(line.substr(brace + 1));
      if (!Say(client, alter_(line))) return false;
    }
  }

  // All that is there. False: the other side is gone.
  static bool Take(SSL* from, const std::function<bool(std::string_view)>& into) {
    char buffer[16384];
    size_t count = 0;
    do {
      if (SSL_read_ex(from, buffer, sizeof buffer, &count) != 1) return SSL_get_error(from, 0) == SSL_ERROR_WANT_READ;
      if (!into({buffer, count})) return false;
    } while (SSL_pending(from) > 0);
    return true;
  }
  static bool Say(SSL* to, std::string_view bytes) {
    size_t count = 0;
    return bytes.empty() || SSL_write_ex(to, bytes.data(), bytes.size(), &count) == 1;
  }

  const uint16_t server_port_;
  const Alter alter_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> to_client_{nullptr, SSL_CTX_free}, to_server_{nullptr, SSL_CTX_free};
  const Listener listening_;
  std::atomic<bool> over_ = false;
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace reprise::mail
