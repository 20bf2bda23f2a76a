#include "plugins/pacs/rest.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "plugins/sdk/sha256.h"

namespace reprise::pacs {
namespace {

using sdk::Error;

constexpr std::chrono::seconds kSilence(60);  // A server that says nothing for so long is gone.

std::string Base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return text;
}

// The value of a header, "" if there is none. `head` is in lower case.
std::string Header(const std::string& head, const std::string& name) {
  const size_t found = head.find("\r\n" + name + ":");
  if (found == std::string::npos) return "";
  const size_t begin = head.find_first_not_of(' ', found + name.size() + 3);
  const size_t end = head.find("\r\n", found + 2);
  return begin < end ? head.substr(begin, end - begin) : "";
}

}  // namespace

sdk::Json Response::Parsed() const {
  sdk::Json json = sdk::Json::parse(body, nullptr, false);
  if (json.is_discarded()) throw Error("bad_answer", "the server's answer is no JSON, status " + std::to_string(status));
  return json;
}

Rest::Rest(const sdk::Context& context, const Settings& settings)
    : context_(context), port_(settings.http_port), authorization_(Base64("reprise:" + settings.password)) {}

void Rest::Lost(const std::string& what) const {
  throw Error("unreachable", "the server's REST port " + std::to_string(port_) + ": " + what,
              "is the service running? look at its log");
}

void Rest::Wait(short what) const {
  const auto until = std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(kSilence, context_.TimeLeft());
  for (;;) {
    context_.ThrowIfCancelled();
    pollfd one{socket_.get(), what, 0};
    if (poll(&one, 1, 100) > 0) return;
    if (std::chrono::steady_clock::now() >= until) Lost("silent for too long");
  }
}

void Rest::Connect() {
  ahead_.clear();
  socket_ = sdk::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) sdk::ThrowErrno(errno, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    socket_.Reset();
    Lost(why);
  }
}

void Rest::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      Wait(POLLOUT);
    } else if (errno != EINTR) {
      Lost(std::strerror(errno));
    }
  }
}

size_t Rest::Receive(char* into, size_t max) {
  if (!ahead_.empty()) {
    const size_t count = std::min(max, ahead_.size());
    std::copy_n(ahead_.data(), count, into);
    ahead_.erase(0, count);
    return count;
  }
  for (;;) {
    const ssize_t count = recv(socket_.get(), into, max, MSG_DONTWAIT);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN) {
      Wait(POLLIN);
    } else if (errno != EINTR) {
      Lost(std::strerror(errno));
    }
  }
}

Response Rest::Ask(const std::string& method, const std::string& path, uint64_t length,
                   const std::function<void()>& send_body, const Sink& sink) {
  const std::string request = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic " +
                              authorization_ + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  // A connection that was kept may have been closed meanwhile: then once more on a new one. What is asked may be asked twice.
  const bool kept = bool(socket_);
  std::string head;
  std::vector<char> buffer(64 << 10);
  size_t end = std::string::npos;
  for (int attempt = kept ? 0 : 1; end == std::string::npos; ++attempt) {
    try {
      if (attempt > 0) Connect();
      head.clear();
      Send(request);
      send_body();
      while ((end = head.find("\r\n\r\n")) == std::string::npos) {
        const size_t count = Receive(buffer.data(), buffer.size());
        if (count == 0) Lost("closed without an answer");
        head.append(buffer.data(), count);
        if (head.size() > (1 << 20)) Lost("an endless head");
      }
    } catch (const Error& error) {
      socket_.Reset();
      if (error.code() != "unreachable" || attempt > 0) throw;
    }
  }
  ahead_ = head.substr(end + 4);
  head = Lower(head.substr(0, end + 2));

  Response response;
  if (head.rfind("http/1.", 0) != 0 || head.size() < 12) Lost("does not speak HTTP");
  std::from_chars(head.data() + 9, head.data() + 12, response.status);
  uint64_t left = 0;
  const std::string said = Header(head, "content-length");
  const auto read = std::from_chars(said.data(), said.data() + said.size(), left);
  const bool has_length = !said.empty() && read.ec == std::errc();
  if (!has_length && Header(head, "connection") != "close") Lost("an answer without a length");
  while (!has_length || left > 0) {
    const size_t count = Receive(buffer.data(), has_length ? std::min<uint64_t>(left, buffer.size()) : buffer.size());
    if (count == 0 && has_length) Lost("closed in the middle of an answer");
    if (count == 0) break;
    left -= has_length ? count : 0;
    if (sink && response.ok()) {
      sink({buffer.data(), count});
    } else {
      response.body.append(buffer.data(), count);
      if (response.body.size() > kBodyMax) throw Error("too_large", "the server's answer to " + method + " " + path);
    }
  }
  if (Header(head, "connection") == "close") socket_.Reset();
  if (response.status == 401) throw Error("refused", "the server does not know the adapter's account", "start it with pacs.start");
  return response;
}

Response Rest::Get(const std::string& path) { return Ask("GET", path, 0, [] {}, nullptr); }
Response Rest::Delete(const std::string& path) { return Ask("DELETE", path, 0, [] {}, nullptr); }
Response Rest::Post(const std::string& path, std::string_view body) {
  return Ask("POST", path, body.size(), [&] { Send(body); }, nullptr);
}

Response Rest::PostFile(const std::string& path, const std::filesystem::path& file) {
  sdk::Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) sdk::ThrowErrno(errno, "open " + file.string());
  const off_t size = lseek(fd.get(), 0, SEEK_END);
  if (size < 0) sdk::ThrowErrno(errno, "look at " + file.string());
  std::vector<char> piece(256 << 10);
  return Ask("POST", path, static_cast<uint64_t>(size), [&] {
    for (off_t done = 0; done < size;) {
      const ssize_t count = pread(fd.get(), piece.data(), std::min<off_t>(size - done, static_cast<off_t>(piece.size())), done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) sdk::ThrowErrno(errno, "read " + file.string());
      if (count == 0) throw Error("changed", file.string() + " became shorter while it was read");
      Send({piece.data(), static_cast<size_t>(count)});
      done += count;
    }
  }, nullptr);
}

Response Rest::Sha256Of(const std::string& path, std::string* sha256) {
  sdk::Sha256 hash;
  Response response = Ask("GET", path, 0, [] {}, [&](std::string_view bytes) { hash.Update(bytes); });
  *sha256 = hash.Hex();
  return response;
}

}  // namespace reprise::pacs
