#include "plugins/lis/hl7.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "plugins/lis/split.h"
#include "plugins/sdk/application/http.h"

namespace reprise::lis {
namespace {

constexpr size_t kAnswerMax = 1 << 20;

}  // namespace

std::optional<std::string> Unframed(std::string_view stream) {
  const size_t begin = stream.find('\x0b');
  if (begin == std::string_view::npos) return std::nullopt;
  const size_t end = stream.find("\x1c\r", begin);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(stream.substr(begin + 1, end - begin - 1));
}

std::string ProbeMessage(const std::string& application, const std::string& facility, const std::string& type,
                         const std::string& control_id, int64_t now_unix_s) {
  const std::time_t time = static_cast<std::time_t>(now_unix_s);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char stamp[20];
  const std::string now(stamp, std::strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &utc));
  return "MSH|^~\\&|REPRISE|REPRISE|" + application + "|" + facility + "|" + now + "||" + type + "|" + control_id + "|T|2.5\r";
}

std::optional<Acknowledgement> ReadAcknowledgement(std::string_view message) {
  if (message.size() < 8 || message.substr(0, 3) != "MSH") return std::nullopt;
  const char field = message[3];
  std::string text(message);
  std::replace(text.begin(), text.end(), '\n', '\r');  // Not what the standard says, but sent by some.
  std::optional<Acknowledgement> found;
  for (const std::string_view segment : Split(text, '\r')) {
    if (!segment.starts_with("MSA")) continue;
    const std::vector<std::string_view> fields = Split(segment, field);
    if (found || fields.size() < 3 || fields[0] != "MSA") return std::nullopt;
    found = Acknowledgement{std::string(fields[1]), std::string(fields[2])};
  }
  return found;
}

Exchanged Exchange(const sdk::Context& context, const std::string& address_text, const std::string& message,
                   std::chrono::milliseconds wait) {
  namespace net = sdk::application::http_internal;
  const sdk::application::Address address = sdk::application::ParseAddress(address_text);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  Exchanged result;
  if (getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) {
    result.why_not = "no such address";
    return result;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const auto until = std::chrono::steady_clock::now() + std::min(wait, context.TimeLeft());
  const std::string late = "no answer within " + std::to_string(wait.count() / 1000) + " s";
  const sdk::Fd fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) sdk::ThrowErrno(errno, "socket");
  int number = connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  if (number == EINPROGRESS) {
    if (!net::WaitFor(context, fd.get(), POLLOUT, until)) {
      result.why_not = late;
      return result;
    }
    socklen_t size = sizeof number;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &number, &size);
  }
  if (number != 0) {
    result.why_not = std::strerror(number);
    return result;
  }
  result.connected = true;
  const std::string frame = Framed(message);
  if (send(fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
    result.why_not = "the message could not be sent";
    return result;
  }
  std::string stream;
  char buffer[4096];
  while (stream.size() < kAnswerMax) {
    if (const auto answer = Unframed(stream)) {
      if (stream.find('\x0b', stream.find("\x1c\r")) != std::string::npos) {
        result.why_not = "more than one message in answer to one";
      } else {
        result.answer = *answer;
      }
      return result;
    }
    if (!net::WaitFor(context, fd.get(), POLLIN, until)) {
      result.why_not = late;
      return result;
    }
    const ssize_t count = recv(fd.get(), buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) {
      result.why_not = count == 0 ? "closed without an answer" : std::strerror(errno);
      return result;
    }
    stream.append(buffer, static_cast<size_t>(count));
  }
  result.why_not = "an answer without an end";
  return result;
}

}  // namespace reprise::lis
