// One TLS connection to a server that has proven who it is: its chain against the CA of the profile (or the system's), its
// name against what was asked for; TLS 1.2 at least. Every wait ends when the verb is cancelled or its time is over.
//
// Throws StoreError: "unreachable" (nobody answers), "certificate_refused", "connection_lost", "cancelled", "timed_out".
// Not thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/mail/tls_flow.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::mail {

struct Endpoint {
  std::string host;     // What its certificate must be for: a name or an address.
  std::string address;  // Where to connect to; empty: `host`.
  uint16_t port = 993;
  std::string ca_file;  // Empty: the system's.
  std::chrono::milliseconds silence_max = std::chrono::minutes(2);  // A server that says nothing for so long is gone.
};

class TlsStream {
 public:
  // Connects.
  TlsStream(const sdk::Context& context, const Endpoint& endpoint, Flow& flow);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // At least one byte, at most `max`.
  size_t Read(char* into, size_t max);
  // All of it.
  void Write(std::string_view bytes);
  // Whether something can be read without waiting.
  bool HasInput() const;

 private:
  void Connect();
  void Shake();
  // What OpenSSL wants before it goes on.
  void WaitFor(int result, const char* doing);
  void Wait(short events, std::chrono::steady_clock::time_point until, const char* doing) const;
  void Pause(uint64_t bytes) const;
  [[noreturn]] void Lost(const char* doing) const;

  const sdk::Context& context_;
  const Endpoint endpoint_;
  Flow& flow_;
  sdk::Fd socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> settings_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool connected_ = false;
};

}  // namespace reprise::mail
