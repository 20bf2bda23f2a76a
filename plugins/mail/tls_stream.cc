#include "plugins/mail/tls_stream.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "plugins/mail/imap_errors.h"

namespace reprise::mail {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kConnectMax(20);
constexpr std::chrono::milliseconds kLook(100);  // So often it looks whether the verb is cancelled.

bool IsAddress(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

// OpenSSL writes to sockets without MSG_NOSIGNAL: a server that goes away would end this process.
int SocketWrite(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  const ssize_t count = send(fd, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}
int SocketRead(BIO* bio, char* into, int max) {
  BIO_clear_retry_flags(bio);
  const int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  const ssize_t count = recv(fd, into, static_cast<size_t>(max), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}
long SocketControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    BIO_meth_set_write(made, SocketWrite);
    BIO_meth_set_read(made, SocketRead);
    BIO_meth_set_ctrl(made, SocketControl);
    BIO_meth_set_create(made, [](BIO* bio) { return BIO_set_init(bio, 1), 1; });
    return made;
  }();
  return method;
}

}  // namespace

TlsStream::TlsStream(const sdk::Context& context, const Endpoint& endpoint, Flow& flow)
    : context_(context), endpoint_(endpoint), flow_(flow) {
  Connect();
  Shake();
  connected_ = true;
}

TlsStream::~TlsStream() {
  // Says good-bye if the server listens; waits for nothing.
  if (connected_ && ssl_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::Lost(const char* doing) const {
  const std::string where = endpoint_.host + ":" + std::to_string(endpoint_.port);
  if (connected_) throw StoreError("connection_lost", "the connection to " + where + " ended while " + doing);
  throw StoreError("unreachable", where + ": the connection ended while " + doing);
}

void TlsStream::Wait(short events, Clock::time_point until, const char* doing) const {
  for (;;) {
    context_.ThrowIfCancelled();
    pollfd one{socket_.get(), events, 0};
    if (poll(&one, 1, static_cast<int>(kLook.count())) > 0) return;
    if (context_.TimeLeft().count() == 0) {
      throw StoreError("timed_out", std::string("the verb's time was over while ") + doing);
    }
    if (Clock::now() >= until) Lost((std::string(doing) + " (silent for too long)").c_str());
  }
}

void TlsStream::Connect() {
  const std::string& to = endpoint_.address.empty() ? endpoint_.host : endpoint_.address;
  const std::string port = std::to_string(endpoint_.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (IsAddress(to) ? AI_NUMERICHOST : AI_ADDRCONFIG);
  addrinfo* list = nullptr;
  if (const int failed = getaddrinfo(to.c_str(), port.c_str(), &hints, &list); failed != 0) {
    throw StoreError("unreachable", "the address of " + to + " is not known: " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(list, freeaddrinfo);
  std::string why = "it has no address";
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    socket_ = sdk::Fd(socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) sdk::ThrowErrno(errno, "socket");
    int failed = connect(socket_.get(), one->ai_addr, one->ai_addrlen) == 0 ? 0 : errno;
    if (failed == EINPROGRESS) {
      try {
        Wait(POLLOUT, Clock::now() + kConnectMax, "connecting");
        socklen_t size = sizeof failed;
        getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
      } catch (const StoreError& error) {
        if (error.code() != "unreachable") throw;
        failed = ETIMEDOUT;
      }
    }
    if (failed == 0) {
      const int on = 1;
      setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      return;
    }
    why = std::strerror(failed);
  }
  throw StoreError("unreachable", to + ":" + port + ": " + why);
}

void TlsStream::Shake() {
  settings_.reset(SSL_CTX_new(TLS_client_method()));
  if (!settings_) throw sdk::Error("internal", "OpenSSL offers no TLS");
  SSL_CTX_set_min_proto_version(settings_.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(settings_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(settings_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // No sessions are resumed here: each connection is proven anew.
  SSL_CTX_set_session_cache_mode(settings_.get(), SSL_SESS_CACHE_OFF);
  const bool has_ca = endpoint_.ca_file.empty() ? SSL_CTX_set_default_verify_paths(settings_.get()) == 1
                                                : SSL_CTX_load_verify_file(settings_.get(), endpoint_.ca_file.c_str()) == 1;
  if (!has_ca) {
    ERR_clear_error();
    throw StoreError("certificate_refused", "no certificate of an authority can be read from " +
                                                (endpoint_.ca_file.empty() ? "the system's folder" : endpoint_.ca_file));
  }
  ssl_.reset(SSL_new(settings_.get()));
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (IsAddress(endpoint_.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, endpoint_.host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(wanted, endpoint_.host.c_str(), endpoint_.host.size());
    SSL_set_tlsext_host_name(ssl_.get(), endpoint_.host.c_str());
  }
  BIO* bio = BIO_new(SocketMethod());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(socket_.get())));
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return;
    if (const long verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
      throw StoreError("certificate_refused", endpoint_.host + ":" + std::to_string(endpoint_.port) + " did not prove who it is: " +
                                                  X509_verify_cert_error_string(verdict));
    }
    WaitFor(result, "agreeing on TLS");
  }
}

void TlsStream::WaitFor(int result, const char* doing) {
  const int error = SSL_get_error(ssl_.get(), result);
  const auto until = Clock::now() + endpoint_.silence_max;
  if (error == SSL_ERROR_WANT_READ) return Wait(POLLIN, until, doing);
  if (error == SSL_ERROR_WANT_WRITE) return Wait(POLLOUT, until, doing);
  ERR_clear_error();
  Lost(doing);
}

void TlsStream::Pause(uint64_t bytes) const {
  // Where bytes never stop coming, nothing else would look.
  context_.ThrowIfCancelled();
  if (context_.TimeLeft().count() == 0) throw StoreError("timed_out", "the verb's time was over while bytes were passing");
  const auto start = flow_.Take(bytes, Clock::now());
  for (auto now = Clock::now(); now < start; now = Clock::now()) {
    context_.ThrowIfCancelled();
    if (context_.TimeLeft().count() == 0) throw StoreError("timed_out", "the verb's time was over while the bandwidth was capped");
    std::this_thread::sleep_for(std::min<Clock::duration>(start - now, kLook));
  }
}

size_t TlsStream::Read(char* into, size_t max) {
  for (;;) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into, max, &count);
    if (result == 1) {
      flow_.Received(count);
      Pause(count);
      return count;
    }
    WaitFor(result, "waiting for the server");
  }
}

void TlsStream::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    if (result != 1) {
      WaitFor(result, "sending to the server");
      continue;
    }
    flow_.Sent(count);
    Pause(count);
    bytes.remove_prefix(count);
  }
}

bool TlsStream::HasInput() const {
  if (SSL_pending(ssl_.get()) > 0) return true;
  pollfd one{socket_.get(), POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

}  // namespace reprise::mail
