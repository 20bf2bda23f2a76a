// A client that knows only what a test needs: one request over TLS, one answer.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace reprise::web::testing {

struct Answer {
  std::string problem;  // Empty: there was an answer.
  int status = 0;
  std::string head;
  std::string body;
};

class TlsConnection {
 public:
  explicit TlsConnection(uint16_t port, int version_max = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    signal(SIGPIPE, SIG_IGN);  // A server may hang up while OpenSSL writes.
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      problem_ = "refused";
      return;
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    if (SSL_connect(ssl_.get()) != 1) problem_ = "no TLS";
  }
  ~TlsConnection() {
    ssl_.reset();
    close(fd_);
  }

  const std::string& problem() const { return problem_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  void Write(const std::string& text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }
  std::string ReadToEnd() {
    std::string all;
    char buffer[4096];
    for (int got; (got = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<size_t>(got));
    return all;
  }
  int fd() const { return fd_; }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string problem_;
};

inline Answer Ask(uint16_t port, const std::string& method, const std::string& target, const std::string& body = "") {
  TlsConnection connection(port);
  Answer answer{connection.problem()};
  if (!answer.problem.empty()) return answer;
  connection.Write(method + " " + target + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string text = connection.ReadToEnd();
  const size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {"no answer"};
  answer.status = std::stoi(text.substr(9, 3));
  answer.head = text.substr(0, end);
  answer.body = text.substr(end + 4);
  return answer;
}

}  // namespace reprise::web::testing
