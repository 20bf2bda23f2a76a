// An HTTPS server for few, small answers. TLS 1.3 only, bounded in everything: size of a request, time for it, number of
// connections. One thread of its own; the handler must not block it, and may answer from any thread.
//
// It can be opened and closed: while closed its port is taken but refuses connections, so that the number stays known.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace reprise::web {

struct Request {
  std::string method;   // "GET", "POST", …
  std::string target;   // Path without the query.
  std::string body;
  std::string address;  // Of the peer, without port.
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using Respond = std::function<void(Response)>;  // To be called exactly once; from any thread.
using Handler = std::function<void(Request, Respond)>;

struct HttpsOptions {
  std::string listen;             // "address:port"; port 0 takes a free one.
  std::string certificate_chain;  // PEM
  std::string key;                // PEM
  size_t body_max = 64 << 10;     // Bytes.
  int timeout_s = 15;             // For the handshake, for a whole request, for writing the answer, each.
  int connections_max = 64;
};

class HttpsServer {
 public:
  struct Impl;

  // Takes the port, and is closed. INVALID_ARGUMENT: the address, the certificate or the key; UNAVAILABLE: the port.
  static absl::StatusOr<std::unique_ptr<HttpsServer>> Create(const HttpsOptions& options, Handler handler);
  // Connections under way are cut; the handler is not called any more.
  ~HttpsServer();

  // From any thread, the handler's too. Done when they return.
  void Open();
  void Close();
  uint16_t port() const;

 private:
  explicit HttpsServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace reprise::web
