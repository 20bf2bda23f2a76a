#include "core/web/https_server.h"

#include <openssl/ssl.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace reprise::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // GCC 12 does not see that a frame's allocator is asio's.

// Coroutines hold it by plain pointer: its thread is joined, and the context with their frames goes, before it does.
struct HttpsServer::Impl : std::enable_shared_from_this<HttpsServer::Impl> {
  Impl(HttpsOptions wanted, Handler handle)
      : options(std::move(wanted)), handler(std::move(handle)), tls(asio::ssl::context::tls_server) {}

  absl::Status Prepare() {
    const size_t colon = options.listen.rfind(':');
    error_code error;
    const auto address = colon == std::string::npos
                             ? asio::ip::address()
                             : asio::ip::make_address(options.listen.substr(0, colon), error);
    const std::string port_text = colon == std::string::npos ? "" : options.listen.substr(colon + 1);
    if (colon == std::string::npos || error || port_text.empty() || port_text.size() > 5 ||
        port_text.find_first_not_of("0123456789") != std::string::npos || std::stoul(port_text) > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", options.listen, "\" is no address to listen on; expected one like 0.0.0.0:7444"));
    }
    endpoint = tcp::endpoint(address, static_cast<uint16_t>(std::stoul(port_text)));
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
    tls.use_certificate_chain(asio::buffer(options.certificate_chain), error);
    if (!error) tls.use_private_key(asio::buffer(options.key), asio::ssl::context::pem, error);
    if (error) return absl::InvalidArgumentError(absl::StrCat("the server's certificate or key: ", error.message()));
    return Bind();
  }

  // Bound and not listening: whoever connects is refused.
  absl::Status Bind() {
    error_code error;
    acceptor.emplace(context);
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen, ": ", error.message()));
    endpoint = acceptor->local_endpoint(error);
    return absl::OkStatus();
  }

  void SetOpen(bool wanted) {
    if (open == wanted) return;
    open = wanted;
    error_code error;
    if (!wanted) {
      acceptor->close(error);
      if (!Bind().ok()) open = false;  // Another took the port: Open tries again.
      return;
    }
    if (!acceptor->is_open() && !Bind().ok()) {
      open = false;
      return;
    }
    acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      open = false;
      return;
    }
    asio::co_spawn(context, Accept(this, ++generation), asio::detached);
  }

  void SetOpenAndWait(bool wanted) {
    std::promise<void> done;
    asio::dispatch(context, [&] {
      SetOpen(wanted);
      done.set_value();
    });
    done.get_future().wait();
  }

  // By value: a coroutine outlives the temporaries of its call.
  static asio::awaitable<void> Accept(Impl* self, uint64_t generation) {
    while (self->open && self->generation == generation) {
      error_code error;
      tcp::socket socket = co_await self->acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
      if (error) {  // Out of descriptors, most likely: wait for some to come free.
        asio::steady_timer pause(self->context, std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      if (self->connections >= self->options.connections_max) continue;  // Closes it.
      asio::co_spawn(self->context, Serve(self, std::move(socket)), asio::detached);
    }
  }

  static asio::awaitable<void> Serve(Impl* self, tcp::socket socket) {
    self->connections += 1;
    try {
      co_await Converse(self, std::move(socket));
    } catch (const std::exception&) {
      // The peer went away, was too slow or spoke something else; there is nobody to tell.
    }
    self->connections -= 1;
  }

  static asio::awaitable<void> Converse(Impl* self, tcp::socket socket) {
    const auto timeout = std::chrono::seconds(self->options.timeout_s);
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), self->tls);
    auto& lowest = beast::get_lowest_layer(stream);
    lowest.expires_after(timeout);
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    beast::flat_buffer buffer;
    for (bool keep_alive = true; keep_alive;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(16 << 10);
      parser.body_limit(self->options.body_max);
      lowest.expires_after(timeout);
      co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (error == http::error::body_limit) {
        // Named: GCC 12 destroys such a temporary twice in a coroutine.
        const Response too_large{413, "text/plain; charset=utf-8", "too large\n"};
        co_await Write(stream, lowest, timeout, too_large, false);
        co_return;
      }
      if (error) break;
      const auto& message = parser.get();
      Request request;
      request.method = std::string(message.method_string());
      request.target = std::string(message.target().substr(0, message.target().find('?')));
      request.body = message.body();
      request.address = peer.address().to_string();
      keep_alive = message.keep_alive();
      lowest.expires_never();
      const Response response = co_await Ask(self, std::move(request));
      co_await Write(stream, lowest, timeout, response, keep_alive);
    }
    lowest.expires_after(std::chrono::seconds(2));
    co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
  }

  // The answer comes from whatever thread, once, or never: then the time is up.
  static asio::awaitable<Response> Ask(Impl* self, Request request) {
    struct Slot {
      explicit Slot(asio::io_context& context) : timer(context) {}
      asio::steady_timer timer;
      std::optional<Response> response;
    };
    const auto slot = std::make_shared<Slot>(self->context);
    slot->timer.expires_after(std::chrono::seconds(self->options.timeout_s));
    // Whoever answers may outlive this server: then there is nobody to tell.
    self->handler(std::move(request), [weak = self->weak_from_this(), weak_slot = std::weak_ptr(slot)](Response response) {
      const auto alive = weak.lock();
      const auto slot = weak_slot.lock();
      if (!alive || !slot) return;
      asio::post(alive->context, [slot, response = std::move(response)]() mutable {
        slot->response = std::move(response);
        slot->timer.cancel();
      });
    });
    error_code error;
    if (!slot->response) co_await slot->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    Response response{503, "text/plain; charset=utf-8", "no answer in time\n"};
    if (slot->response) response = std::move(*slot->response);
    co_return response;
  }

  static asio::awaitable<void> Write(beast::ssl_stream<beast::tcp_stream>& stream, beast::tcp_stream& lowest,
                                     std::chrono::seconds timeout, const Response& response, bool keep_alive) {
    http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
    message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    message.keep_alive(keep_alive);
    message.body() = response.body;
    message.prepare_payload();
    lowest.expires_after(timeout);
    co_await http::async_write(stream, message, asio::use_awaitable);
  }

  const HttpsOptions options;
  const Handler handler;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::ssl::context tls;
  tcp::endpoint endpoint;
  std::optional<tcp::acceptor> acceptor;
  bool open = false;
  uint64_t generation = 0;
  int connections = 0;
  std::thread thread;
};

#pragma GCC diagnostic pop

HttpsServer::HttpsServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpsServer::~HttpsServer() {
  impl_->context.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

absl::StatusOr<std::unique_ptr<HttpsServer>> HttpsServer::Create(const HttpsOptions& options, Handler handler) {
  auto impl = std::make_shared<Impl>(options, std::move(handler));
  if (absl::Status status = impl->Prepare(); !status.ok()) return status;
  impl->thread = std::thread([raw = impl.get()] { raw->context.run(); });
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(impl)));
}

void HttpsServer::Open() { impl_->SetOpenAndWait(true); }

void HttpsServer::Close() { impl_->SetOpenAndWait(false); }

uint16_t HttpsServer::port() const { return impl_->endpoint.port(); }

}  // namespace reprise::web
