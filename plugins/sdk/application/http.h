// One GET over plain HTTP/1.0, to ask a service how it is. No redirects, no names but numeric addresses; bounded.
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>

#include "plugins/sdk/context.h"
#include "plugins/sdk/file.h"

namespace reprise::sdk::application {

struct Address {
  std::string host;
  std::string port;
};

// "10.0.0.5:8080" or "[fd00::5]:8080". Throws Error "bad_params".
inline Address ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  Address address;
  if (colon != std::string::npos) address = {text.substr(0, colon), text.substr(colon + 1)};
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  in6_addr ignored;
  const bool numeric = inet_pton(AF_INET, address.host.c_str(), &ignored) == 1 ||
                       inet_pton(AF_INET6, address.host.c_str(), &ignored) == 1;
  const bool port = !address.port.empty() && address.port.size() <= 5 &&
                    address.port.find_first_not_of("0123456789") == std::string::npos && std::stoi(address.port) > 0 &&
                    std::stoi(address.port) < 65536;
  if (!numeric || !port) {
    throw Error("bad_params", "address " + text.substr(0, 80) + " is not ADDRESS:PORT",
                "a numeric address: there may be no DNS during a rebuild");
  }
  return address;
}

struct HttpAnswer {
  int status = 0;       // 0: there was no answer.
  std::string why_not;  // "connection refused", "no answer within 3s"
  std::string body;
};

namespace http_internal {

// False when `until` is over.
inline bool WaitFor(const Context& context, int fd, short events, std::chrono::steady_clock::time_point until) {
  while (std::chrono::steady_clock::now() < until) {
    context.ThrowIfCancelled();
    pollfd polled = {fd, events, 0};
    if (poll(&polled, 1, 50) > 0) return true;
  }
  return false;
}

}  // namespace http_internal

inline HttpAnswer Get(const Context& context, const std::string& address_text, const std::string& path,
                      std::chrono::milliseconds wait = std::chrono::seconds(5)) {
  const Address address = ParseAddress(address_text);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  if (getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) return {0, "no such address", ""};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const auto until = std::chrono::steady_clock::now() + std::min(wait, context.TimeLeft());
  const std::string late = "no answer within " + std::to_string(wait.count() / 1000) + " s";
  const Fd fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {0, std::strerror(errno), ""};
  if (connect(fd.get(), found->ai_addr, found->ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return {0, std::strerror(errno), ""};
    if (!http_internal::WaitFor(context, fd.get(), POLLOUT, until)) return {0, late, ""};
    int number = 0;
    socklen_t size = sizeof number;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) return {0, std::strerror(number), ""};
  }
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + address_text + "\r\nConnection: close\r\n\r\n";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return {0, "the request could not be sent", ""};
  }
  std::string text;
  char buffer[16384];
  while (text.size() < (1 << 20)) {
    if (!http_internal::WaitFor(context, fd.get(), POLLIN, until)) return {0, late, ""};
    const ssize_t count = recv(fd.get(), buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return {0, std::strerror(errno), ""};
    if (count == 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  const size_t head = text.find("\r\n\r\n");
  if (text.rfind("HTTP/1.", 0) != 0 || text.size() < 12 || head == std::string::npos) return {0, "no HTTP answer", ""};
  const std::string status = text.substr(9, 3);
  if (status.find_first_not_of("0123456789") != std::string::npos) return {0, "no HTTP answer", ""};
  return {std::stoi(status), "", text.substr(head + 4)};
}

// The value of "totals.rows" in a JSON text as a text, or nothing.
inline std::optional<std::string> FieldOf(const std::string& body, const std::string& field) {
  const Json parsed = Json::parse(body, nullptr, false);
  const Json* value = &parsed;
  for (size_t begin = 0; begin <= field.size();) {
    const size_t end = std::min(field.find('.', begin), field.size());
    const std::string key = field.substr(begin, end - begin);
    if (!value->is_object() || !value->contains(key)) return std::nullopt;
    value = &(*value)[key];
    begin = end + 1;
  }
  if (value->is_structured()) return std::nullopt;
  return value->is_string() ? value->get<std::string>() : value->dump();
}

}  // namespace reprise::sdk::application
