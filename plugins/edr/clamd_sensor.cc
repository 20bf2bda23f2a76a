#include "plugins/edr/clamd_sensor.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace reprise::edr {
namespace {

using sdk::Error;
using sdk::Fd;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kAnswer = seconds(20);
constexpr milliseconds kScan = seconds(180);  // Above MaxScanTime of the profile: the daemon ends it first, and says so.
constexpr size_t kChunk = 256 << 10;
constexpr size_t kReplyMax = 64 << 10;

std::string Why(int number) { return std::strerror(number); }

}  // namespace

Fd ClamdSensor::Connect() const {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) sdk::ThrowErrno(errno, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, rule_.socket.c_str(), std::min(rule_.socket.size(), sizeof address.sun_path - 1));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const bool absent = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
  throw Error(absent ? "sensor_absent" : "sensor_silent", "clamd at " + rule_.socket + ": " + Why(errno),
              absent ? "is its service running? edr.install starts it" : "");
}

void ClamdSensor::WaitFor(int socket, short events, milliseconds limit) const {
  const auto until = std::chrono::steady_clock::now() + std::min(limit, context_.TimeLeft());
  pollfd wanted = {socket, events, 0};
  for (;;) {
    context_.ThrowIfCancelled();
    const int ready = poll(&wanted, 1, 100);
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) sdk::ThrowErrno(errno, "poll");
    if (std::chrono::steady_clock::now() >= until) {
      throw Error("sensor_silent", "clamd at " + rule_.socket + " does not answer in time",
                  "is it loading its base? See its log");
    }
  }
}

bool ClamdSensor::Send(int socket, std::string_view bytes) const {
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

std::string ClamdSensor::Receive(int socket, milliseconds limit) const {
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

std::string ClamdSensor::Version() {
  const Fd fd = Connect();
  Send(fd.get(), std::string_view("zPING\0", 6));
  const std::string pong = Receive(fd.get(), kAnswer);
  if (pong != std::string("PONG\0", 5)) {
    throw Error("sensor_silent", "clamd at " + rule_.socket + " answers PING with \"" + pong.substr(0, 40) + "\"");
  }
  const Fd again = Connect();
  Send(again.get(), std::string_view("zVERSION\0", 9));
  std::string version = Receive(again.get(), kAnswer);
  while (!version.empty() && (version.back() == '\0' || version.back() == '\n')) version.pop_back();
  if (version.empty()) throw Error("sensor_silent", "clamd at " + rule_.socket + " does not say its version");
  return version.substr(0, 200);
}

Outcome ClamdSensor::ScanBytes(std::string_view bytes) {
  const Fd fd = Connect();
  bool open = Send(fd.get(), std::string_view("zINSTREAM\0", 10));
  const auto size_of = [](size_t size) {
    const uint32_t network = htonl(static_cast<uint32_t>(size));
    return std::string(reinterpret_cast<const char*>(&network), sizeof network);
  };
  while (open && !bytes.empty()) {
    const std::string_view chunk = bytes.substr(0, kChunk);
    open = Send(fd.get(), size_of(chunk.size())) && Send(fd.get(), chunk);
    bytes.remove_prefix(chunk.size());
  }
  const bool whole = open && Send(fd.get(), size_of(0));
  const Outcome outcome = ReadClamdReply(Receive(fd.get(), kScan), rule_);
  if (outcome.judgement == Judgement::kClean && !whole) {
    return {Judgement::kNotScanned, "the daemon took only a part of it"};
  }
  return outcome;
}

Outcome ClamdSensor::ScanFile(int file, const std::filesystem::path&) {
  const Fd fd = Connect();
  if (!Send(fd.get(), std::string_view("zFILDES\0", 8))) return {Judgement::kNotScanned, "the daemon takes no question"};
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
  if (sent != 1) return {Judgement::kNotScanned, "handing the file to the daemon: " + Why(errno)};
  return ReadClamdReply(Receive(fd.get(), kScan), rule_);
}

}  // namespace reprise::edr
