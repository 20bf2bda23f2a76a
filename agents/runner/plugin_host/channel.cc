#include "agents/runner/plugin_host/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "agents/runner/bounded_json.h"

namespace reprise::plugin_host {
namespace {

using nlohmann::json;

constexpr size_t kRequestBytesMax = 4 << 20;
constexpr size_t kTextMax = 4096;
constexpr std::chrono::milliseconds kProgressInterval(50);

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string Cut(const char* text) { return text == nullptr ? "" : std::string(text, strnlen(text, kTextMax)); }

// A line feed can only stand between values there.
std::string OnOneLine(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

std::string Channel::ReadRequest() {
  std::string request;
  char buffer[16384];
  while (request.size() < kRequestBytesMax) {
    const ssize_t peeked = recv(fd_, buffer, sizeof buffer, MSG_PEEK);
    if (peeked < 0 && errno == EINTR) continue;
    if (peeked <= 0) return "";
    const char* end = std::find(buffer, buffer + peeked, '\n');
    const bool whole = end != buffer + peeked;
    const size_t count = static_cast<size_t>(end - buffer) + (whole ? 1 : 0);
    if (recv(fd_, buffer, count, 0) != static_cast<ssize_t>(count)) return "";
    request.append(buffer, count);
    if (whole) return request;
  }
  return "";
}

bool Channel::WaitForCancel() const {
  char byte;
  for (;;) {
    const ssize_t count = recv(fd_, &byte, 1, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    if (byte == '\n') return true;
  }
}

void Channel::Send(std::string line) {
  line += '\n';
  for (size_t done = 0; done < line.size();) {
    const ssize_t count = send(fd_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // The watcher ends the process.
    done += static_cast<size_t>(count);
  }
}

void Channel::Started() {
  const std::lock_guard lock(mutex_);
  Send(R"({"type":"started"})");
}

void Channel::Progress(double fraction, const char* text) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (answered_ || now - last_progress_ < kProgressInterval) return;
  last_progress_ = now;
  if (!(fraction >= 0)) fraction = -1;
  Send(Dump({{"type", "progress"}, {"fraction", std::min(fraction, 1.0)}, {"text", Cut(text)}}));
}

void Channel::Log(int level, const char* text) {
  const std::lock_guard lock(mutex_);
  if (log_bytes_ >= kLogBytesMax) return;
  std::string cut = Cut(text);
  log_bytes_ += cut.size() + 1;
  if (log_bytes_ >= kLogBytesMax) cut = "(the log is longer: the rest is dropped)";
  Send(Dump({{"type", "log"}, {"level", std::clamp(level, 0, 3)}, {"text", cut}}));
}

void Channel::Result(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (answered_) return;
  answered_ = true;
  if (const std::string wrong = runner::WhyNotAResult(text); !wrong.empty()) {
    Send(Dump({{"type", "bad_result"}, {"message", "the plugin gave " + wrong}}));
    return;
  }
  Send(R"({"type":"result","result":)" + OnOneLine(text) + "}");
}

void Channel::Descriptor(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (const std::string wrong = runner::WhyNotAResult(text); !wrong.empty()) {
    Send(Dump({{"type", "refused"}, {"message", "its descriptor is " + wrong}}));
    return;
  }
  Send(R"({"type":"descriptor","descriptor":)" + OnOneLine(text) + "}");
}

void Channel::Refused(const std::string& message) {
  const std::lock_guard lock(mutex_);
  Send(Dump({{"type", "refused"}, {"message", message}}));
}

void Channel::End(int number) {
  const std::lock_guard lock(mutex_);
  Send(Dump({{"type", "end"}, {"errno", number}}));
}

}  // namespace reprise::plugin_host
