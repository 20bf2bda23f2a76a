#include "agents/daemon/join_client.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using nlohmann::json;

constexpr auto kTimeout = std::chrono::seconds(15);
constexpr size_t kReplyBytesMax = 4 << 20;
constexpr char kJoinTlsName[] = "reprise-coordinator";

std::string Der(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der(reinterpret_cast<char*>(bytes), size > 0 ? static_cast<size_t>(size) : 0);
  OPENSSL_free(bytes);
  return der;
}

std::string Pem(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(out.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

// The pinned authority out of the presented chain, when it vouches for the presenter. PEM.
absl::StatusOr<std::string> CheckPresented(SSL* ssl, const std::string& fingerprint) {
  const std::unique_ptr<X509, decltype(&X509_free)> server(SSL_get1_peer_certificate(ssl), X509_free);
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  X509* authority = nullptr;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    if (ToHex(crypto::Sha256(Der(sk_X509_value(chain, i)))) == fingerprint) authority = sk_X509_value(chain, i);
  }
  if (server == nullptr || authority == nullptr) {
    return absl::UnauthenticatedError(
        absl::StrCat("the server does not show the certificate authority of the join code (", fingerprint.substr(0, 16),
                     "…): it is not the coordinator that made this code, or somebody is in between. Nothing was sent"));
  }
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check(X509_STORE_CTX_new(),
                                                                              X509_STORE_CTX_free);
  X509_STORE_add_cert(store.get(), authority);
  X509_STORE_CTX_init(check.get(), store.get(), server.get(), nullptr);
  X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(check.get()), kJoinTlsName, 0);
  if (X509_verify_cert(check.get()) != 1) {
    return absl::UnauthenticatedError(
        absl::StrCat("the server's certificate is not the coordinator's: ",
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())),
                     ". Look at this host's clock, and at `--coordinator`. Nothing was sent"));
  }
  return Pem(authority);
}

struct Answer {
  unsigned status = 0;
  std::string body;
  std::string ca;
};

// By value: a coroutine outlives the temporaries of its call.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"   // GCC 12 does not see that the frame's allocator is asio's.
asio::awaitable<absl::StatusOr<Answer>> Exchange(std::string ca_fingerprint, std::string name, std::string port,
                                                 std::string body) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
  // The handshake itself lets everybody through; CheckPresented decides, before a byte of ours is sent.
  tls.set_verify_mode(asio::ssl::verify_none);
  beast::ssl_stream<beast::tcp_stream> stream(executor, tls);
  SSL_set_tlsext_host_name(stream.native_handle(), kJoinTlsName);
  auto& tcp = beast::get_lowest_layer(stream);

  asio::ip::tcp::resolver resolver(executor);
  const auto places = co_await resolver.async_resolve(name, port, asio::use_awaitable);
  tcp.expires_after(kTimeout);
  co_await tcp.async_connect(places, asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  auto ca = CheckPresented(stream.native_handle(), ca_fingerprint);
  if (!ca.ok()) co_return ca.status();

  http::request<http::string_body> post(http::verb::post, "/v1/join", 11);
  post.set(http::field::host, kJoinTlsName);
  post.set(http::field::content_type, "application/json");
  post.set(http::field::connection, "close");
  post.body() = std::move(body);
  post.prepare_payload();
  tcp.expires_after(kTimeout);
  co_await http::async_write(stream, post, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kReplyBytesMax);
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
  Answer answer;
  answer.status = parser.get().result_int();
  answer.body = std::move(parser.get().body());
  answer.ca = *std::move(ca);
  co_return answer;
}
#pragma GCC diagnostic pop

// What the server says of a refusal, as one bounded line.
std::string Words(const Answer& answer) {
  const json said = json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  std::string text = said.is_object() && said.contains("error") && said["error"].is_string()
                         ? said["error"].get<std::string>()
                         : answer.body.substr(0, 300);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return absl::StrCat(text, " (HTTP ", answer.status, ")");
}

absl::StatusOr<std::string> TextOf(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    return absl::InternalError(absl::StrCat("the coordinator's reply has no text \"", key, "\""));
  }
  return found->get<std::string>();
}

}  // namespace

absl::StatusOr<JoinReply> ReadJoinReply(const std::string& body) {
  const json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InternalError("the coordinator's reply is not a JSON object");
  JoinReply reply;
  ASSIGN_OR_RETURN(reply.certificate, TextOf(object, "certificate"));
  if (object.contains("coordinator")) {
    ASSIGN_OR_RETURN(reply.coordinator, TextOf(object, "coordinator"));
  }
  // A coordinator that is older says nothing of it.
  if (const auto serial = object.find("statement_serial"); serial != object.end()) {
    if (!serial->is_number_unsigned()) {
      return absl::InternalError("the coordinator's reply has a \"statement_serial\" that is none");
    }
    reply.statement_serial = serial->get<uint64_t>();
  }
  const auto keyring = object.find("keyring");
  if (keyring == object.end() || !keyring->is_array() || keyring->empty()) {
    return absl::InternalError("the coordinator's reply has no keyring");
  }
  for (const json& link : *keyring) {
    if (!link.is_object()) return absl::InternalError("the coordinator's reply has a keyring that cannot be read");
    plan::v1::SignedStatement& statement = reply.keyring.emplace_back();
    ASSIGN_OR_RETURN(const std::string encoded, TextOf(link, "statement_b64"));
    ASSIGN_OR_RETURN(*statement.mutable_statement(), FromBase64(encoded));
    const auto signatures = link.find("signatures");
    if (signatures == link.end() || !signatures->is_array()) continue;
    for (const json& signature : *signatures) {
      if (signature.is_string()) statement.add_signatures()->set_minisig(signature.get<std::string>());
    }
  }
  return reply;
}

absl::StatusOr<JoinReply> Join(const JoinRequest& request) {
  const size_t colon = request.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == request.address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("--coordinator ", request.address, ": expected HOST:PORT"));
  }
  std::string name = request.address.substr(0, colon);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  const json body = {{"host", request.host}, {"secret", request.secret}, {"csr", request.csr}};

  absl::StatusOr<Answer> answer = absl::UnknownError("");
  std::exception_ptr failure;
  asio::io_context context(1);
  asio::co_spawn(context, Exchange(request.ca_fingerprint, name, request.address.substr(colon + 1), body.dump()),
                 [&](std::exception_ptr error, absl::StatusOr<Answer> got) {
                   failure = error;
                   if (!error) answer = std::move(got);
                 });
  context.run();
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      return absl::UnavailableError(
          absl::StrCat(request.address, ": ", error.what(),
                       ". Is the join window open (`reprise host token`), and the port reachable?"));
    }
  }
  RETURN_IF_ERROR(answer.status());
  if (answer->status != 200) {
    return absl::PermissionDeniedError(absl::StrCat(request.address, " refuses: ", Words(*answer),
                                                    ". A join code serves once, for one host, and not for long: get a "
                                                    "new one with `reprise host token`"));
  }
  ASSIGN_OR_RETURN(JoinReply reply, ReadJoinReply(answer->body));
  reply.ca = std::move(answer->ca);
  return reply;
}

}  // namespace reprise::daemon
