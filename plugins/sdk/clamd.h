// The virus scanner clamd over its socket: bytes (INSTREAM), an open file (FILDES: clamd needs no right to it), its version.
// One connection for each question; every wait is bounded by the verb's deadline and its cancellation.
//
//   Clamd clamd(context, "/run/clamav/clamd.ctl");
//   ClamdReply reply = clamd.Stream([&](const auto& sink) { sink(bytes); });
//   if (reply.what == ClamdReply::kOk) …        // And only then it is clean.
//
// Throws Error "clamd_absent" (nobody is there), "clamd_silent" (somebody, who does not answer), "cancelled", "timed_out".
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::sdk {

// What clamd says of one content. What a name that it found means is the asker's business: some say that it did not look.
struct ClamdReply {
  enum What { kNothing, kOk, kFound, kOther };
  What what = kNothing;
  std::string name;  // Found: the signature's. Other: its words.
};

// "stream: OK", "fd[9]: Name FOUND", "… ERROR". Clean is only what it says in exactly its words.
inline ClamdReply ReadClamdLine(std::string_view line) {
  constexpr std::string_view kFound = " FOUND";
  constexpr size_t kNameMax = 200;
  while (!line.empty() && (line.back() == '\0' || line.back() == '\n')) line.remove_suffix(1);
  if (line.empty()) return {};
  const size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return {ClamdReply::kOther, std::string(line.substr(0, kNameMax))};
  const std::string_view said = line.substr(colon + 2);
  if (said == "OK") return {ClamdReply::kOk, ""};
  if (!said.ends_with(kFound)) return {ClamdReply::kOther, std::string(said.substr(0, kNameMax))};
  return {ClamdReply::kFound, std::string(said.substr(0, said.size() - kFound.size()).substr(0, kNameMax))};
}

// May be used by several threads.
class Clamd {
 public:
  using Sink = std::function<void(std::string_view)>;

  // A socket's path, or "10.77.4.9:3310", "[fd00::1]:3310": an address, not a name. Throws Error "bad_params".
  Clamd(const Context& context, std::string where) : context_(context), where_(std::move(where)) { Resolve(); }

  // Proves that it answers, too.
  std::string Version() const {
    const std::string pong = Ask(std::string_view("zPING\0", 6));
    if (pong != "PONG") throw Error("clamd_silent", "clamd at " + where_ + " answers PING with \"" + pong.substr(0, 40) + "\"");
    const std::string version = Ask(std::string_view("zVERSION\0", 9));
    if (version.empty()) throw Error("clamd_silent", "clamd at " + where_ + " does not say its version");
    return version.substr(0, 200);
  }

  // All that `body` gives to its sink. Clean only if clamd took all of it.
  ClamdReply Stream(const std::function<void(const Sink&)>& body) const {
    const Fd fd = Connect();
    bool whole = Send(fd.get(), std::string_view("zINSTREAM\0", 10));
    body([&](std::string_view piece) {
      while (whole && !piece.empty()) {
        const std::string_view chunk = piece.substr(0, kChunk);
        whole = Send(fd.get(), SizeOf(chunk.size())) && Send(fd.get(), chunk);
        piece.remove_prefix(chunk.size());
      }
    });
    whole = whole && Send(fd.get(), SizeOf(0));
    const ClamdReply reply = ReadClamdLine(Receive(fd.get(), kScan));
    if (reply.what == ClamdReply::kOk && !whole) return {ClamdReply::kOther, "the daemon took only a part of it"};
    return reply;
  }

  // `file` is open for reading, its offset at the beginning. Over a socket in the file system only.
  ClamdReply File(int file) const {
    const Fd fd = Connect();
    if (!Send(fd.get(), std::string_view("zFILDES\0", 8))) return {ClamdReply::kOther, "the daemon takes no question"};
    char nothing = 0;
    iovec data = {&nothing, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &file, sizeof(int));
    ssize_t sent;
    do {
      sent = sendmsg(fd.get(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent != 1) return {ClamdReply::kOther, std::string("handing the file to the daemon: ") + std::strerror(errno)};
    return ReadClamdLine(Receive(fd.get(), kScan));
  }

 private:
  static constexpr std::chrono::milliseconds kConnect = std::chrono::seconds(10), kAnswer = std::chrono::seconds(20);
  static constexpr std::chrono::milliseconds kScan = std::chrono::seconds(180);  // Above its own MaxScanTime: it ends first, and says so.
  static constexpr size_t kChunk = 64 << 10, kReplyMax = 64 << 10;

  static std::string SizeOf(size_t size) {
    const uint32_t network = htonl(static_cast<uint32_t>(size));
    return std::string(reinterpret_cast<const char*>(&network), sizeof network);
  }

  void Resolve() {
    const auto refuse = [&](const char* why) {
      throw Error("bad_params", "scanner " + where_.substr(0, 120) + " " + why, "a socket's path, or ADDRESS:PORT");
    };
    if (where_.starts_with("/")) {
      auto* local = reinterpret_cast<sockaddr_un*>(&address_);
      if (where_.size() >= sizeof local->sun_path) refuse("is too long for a socket");
      local->sun_family = AF_UNIX;
      std::memcpy(local->sun_path, where_.c_str(), where_.size() + 1);
      size_ = static_cast<socklen_t>(sizeof *local);
      return;
    }
    const size_t colon = where_.rfind(':');
    if (colon == std::string::npos) refuse("is no address with a port");
    std::string host = where_.substr(0, colon);
    if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // Nobody is asked for names.
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), where_.substr(colon + 1).c_str(), &hints, &found) != 0) refuse("is no address with a port");
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
    size_ = found->ai_addrlen;
  }

  [[noreturn]] void NotConnected(int why) const {
    const bool absent = why == ENOENT || why == ECONNREFUSED || why == ENOTDIR;
    throw Error(absent ? "clamd_absent" : "clamd_silent", "clamd at " + where_ + ": " + std::strerror(why), absent ? "is its service running?" : "");
  }

  Fd Connect() const {
    Fd fd(socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) NotConnected(errno);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), size_) == 0) return fd;
    if (errno != EINPROGRESS) NotConnected(errno);
    WaitFor(fd.get(), POLLOUT, kConnect);
    int failed = 0;
    socklen_t length = sizeof failed;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &length) != 0) failed = errno;
    if (failed != 0) NotConnected(failed);
    return fd;
  }

  void WaitFor(int socket, short events, std::chrono::milliseconds limit) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    pollfd wanted = {socket, events, 0};
    for (;;) {
      context_.ThrowIfCancelled();
      if (context_.TimeLeft().count() == 0) throw Error("timed_out", "the verb's time is over");
      const int ready = poll(&wanted, 1, 100);
      if (ready > 0) return;
      if (ready < 0 && errno != EINTR) NotConnected(errno);
      if (std::chrono::steady_clock::now() >= until) {
        throw Error("clamd_silent", "clamd at " + where_ + " does not answer in time", "is it loading its base? See its log");
      }
    }
  }

  // False: the daemon has closed; what it says about that is still to be read.
  bool Send(int socket, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<size_t>(count));
      } else if (errno == EAGAIN) {
        WaitFor(socket, POLLOUT, kScan);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  std::string Receive(int socket, std::chrono::milliseconds limit) const {
    std::string reply;
    char buffer[4096];
    while (reply.size() < kReplyMax && (reply.empty() || reply.back() != '\0')) {
      const ssize_t count = recv(socket, buffer, sizeof buffer, 0);
      if (count > 0) {
        reply.append(buffer, static_cast<size_t>(count));
      } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        break;  // What was said up to here is judged; nothing is never clean.
      } else {
        WaitFor(socket, POLLIN, limit);
      }
    }
    return reply;
  }

  std::string Ask(std::string_view question) const {
    const Fd fd = Connect();
    Send(fd.get(), question);
    std::string answer = Receive(fd.get(), kAnswer);
    while (!answer.empty() && (answer.back() == '\0' || answer.back() == '\n')) answer.pop_back();
    return answer;
  }

  const Context& context_;
  const std::string where_;
  sockaddr_storage address_{};
  socklen_t size_ = 0;
};

}  // namespace reprise::sdk
