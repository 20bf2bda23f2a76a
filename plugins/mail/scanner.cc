#include "plugins/mail/scanner.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::mail {
namespace {

using sdk::Error;
using sdk::Fd;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kScan = seconds(180);  // Above clamd's own MaxScanTime: it ends first, and says so.
constexpr size_t kChunk = 64 << 10;

// The daemon closed, or does not answer.
struct Silent {
  std::string why;
};

std::string Size(size_t size) {
  const uint32_t network = htonl(static_cast<uint32_t>(size));
  return std::string(reinterpret_cast<const char*>(&network), sizeof network);
}

class ClamdScanner final : public Scanner {
 public:
  ClamdScanner(const sdk::Context& context, std::string where, sockaddr_storage address, socklen_t size)
      : context_(context), where_(std::move(where)), address_(address), size_(size) {}

  ScanResult Scan(const std::function<void(const Sink&)>& body) override {
    try {
      const Fd fd = Connect();
      bool whole = Send(fd.get(), std::string_view("zINSTREAM\0", 10));
      body([&](std::string_view piece) {
        while (whole && !piece.empty()) {
          const std::string_view chunk = piece.substr(0, kChunk);
          whole = Send(fd.get(), Size(chunk.size())) && Send(fd.get(), chunk);
          piece.remove_prefix(chunk.size());
        }
      });
      whole = whole && Send(fd.get(), Size(0));
      const ScanResult result = ReadClamdReply(Receive(fd.get()));
      if (result.judgement == Judgement::kClean && !whole) return {Judgement::kNotScanned, "only a part of it was taken"};
      return result;
    } catch (const Silent& silent) {
      return {Judgement::kNotScanned, silent.why};
    }
  }

 private:
  Fd Connect() const {
    Fd fd(socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw Silent{std::strerror(errno)};
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), size_) != 0) {
      if (errno != EINPROGRESS) throw Silent{std::strerror(errno)};
      WaitFor(fd.get(), POLLOUT, seconds(10));
      int failed = 0;
      socklen_t length = sizeof failed;
      if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &length) != 0 || failed != 0) throw Silent{std::strerror(failed)};
    }
    return fd;
  }

  void WaitFor(int socket, short events, milliseconds limit) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    pollfd wanted = {socket, events, 0};
    for (;;) {
      context_.ThrowIfCancelled();
      if (context_.TimeLeft().count() == 0) throw Error("timed_out", "the verb's time is over");
      if (poll(&wanted, 1, 100) > 0) return;
      if (std::chrono::steady_clock::now() >= until) throw Silent{"it does not answer in time"};
    }
  }

  bool Send(int socket, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<size_t>(count));
      } else if (errno == EAGAIN) {
        WaitFor(socket, POLLOUT, kScan);
      } else if (errno != EINTR) {
        return false;  // What it says about that is still to be read.
      }
    }
    return true;
  }

  std::string Receive(int socket) const {
    std::string reply;
    char buffer[4096];
    while (reply.size() < 16384 && (reply.empty() || reply.back() != '\0')) {
      const ssize_t count = recv(socket, buffer, sizeof buffer, 0);
      if (count > 0) {
        reply.append(buffer, static_cast<size_t>(count));
      } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        break;
      } else {
        WaitFor(socket, POLLIN, kScan);
      }
    }
    return reply;
  }

  const sdk::Context& context_;
  const std::string where_;
  const sockaddr_storage address_;
  const socklen_t size_;
};

}  // namespace

std::unique_ptr<Scanner> MakeClamdScanner(const sdk::Context& context, const std::string& where) {
  sockaddr_storage address{};
  const auto refuse = [&](const char* why) { throw Error("bad_params", "scanner " + where.substr(0, 120) + " " + why, "a socket's path, or ADDRESS:PORT"); };
  if (where.starts_with("/")) {
    auto* local = reinterpret_cast<sockaddr_un*>(&address);
    if (where.size() >= sizeof local->sun_path) refuse("is too long for a socket");
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, where.c_str(), where.size() + 1);
    return std::make_unique<ClamdScanner>(context, where, address, static_cast<socklen_t>(sizeof *local));
  }
  const size_t colon = where.rfind(':');
  if (colon == std::string::npos) refuse("is no address with a port");
  std::string host = where.substr(0, colon);
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  const std::string port = where.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // Nobody is asked for names.
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) refuse("is no address with a port");
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  return std::make_unique<ClamdScanner>(context, where, address, found->ai_addrlen);
}

ScanResult ReadClamdReply(std::string_view reply) {
  while (!reply.empty() && (reply.back() == '\0' || reply.back() == '\n')) reply.remove_suffix(1);
  if (reply == "stream: OK") return {Judgement::kClean, ""};
  constexpr std::string_view kBegin = "stream: ", kFound = " FOUND";
  if (reply.starts_with(kBegin) && reply.ends_with(kFound) && reply.size() > kBegin.size() + kFound.size()) {
    const std::string name(reply.substr(kBegin.size(), reply.size() - kBegin.size() - kFound.size()).substr(0, 200));
    const bool limited = name.starts_with("Heuristics.Limits.Exceeded") || name.starts_with("Heuristics.Encrypted");
    return {limited ? Judgement::kNotScanned : Judgement::kInfected, name};
  }
  return {Judgement::kNotScanned, reply.empty() ? "it says nothing" : "it says " + std::string(reply.substr(0, 120))};
}

}  // namespace reprise::mail
