#include "plugins/backup/actions/reader_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "plugins/backup/actions/routes.h"
#include "plugins/backup/judge/words.h"
#include "plugins/sdk/process.h"

namespace reprise::backup {
namespace {

using sdk::ClaimState;
using sdk::Error;

constexpr const char* kReaderClaim = "backup.reader_closed";
constexpr int kTryMs = 2000;

struct Endpoint {
  Prefix address;
  uint16_t port = 0;
};

Endpoint ParseEndpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
  Endpoint endpoint{ParsePrefix(address, "forbidden"), 0};
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (port.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size() || endpoint.port == 0) {
    throw Error("bad_params", "parameter forbidden has \"" + text.substr(0, 80) + "\"", "write ADDRESS:PORT or [ADDRESS6]:PORT");
  }
  return endpoint;
}

// What a connection attempt met; `reached`: a host answered, by whatever.
std::string TryTo(const Endpoint& endpoint, bool& reached) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(endpoint.port);
  std::memcpy(&six.sin6_addr, endpoint.address.bytes.data(), 16);
  std::memcpy(&four.sin_addr, endpoint.address.bytes.data(), 4);
  const bool ipv6 = endpoint.address.ipv6;
  const sdk::Fd fd(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::strerror(errno);
  const int started = ipv6 ? connect(fd.get(), reinterpret_cast<sockaddr*>(&six), sizeof six)
                           : connect(fd.get(), reinterpret_cast<sockaddr*>(&four), sizeof four);
  int error = started == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wait{fd.get(), POLLOUT, 0};
    if (poll(&wait, 1, kTryMs) == 0) return "no answer";
    socklen_t size = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  reached = error == 0 || error == ECONNREFUSED || error == ECONNRESET;
  return error == 0 ? "connected" : std::strerror(error);
}

std::vector<Route> Routes(const sdk::Context& context) {
  std::vector<Route> all;
  for (const char* family : {"-4", "-6"}) {
    sdk::RunOptions options;
    options.output_max = 4 << 20;
    const sdk::RunResult shown = sdk::RunOrThrow(context, {"ip", "-j", family, "route", "show", "table", "all"}, options);
    if (shown.truncated) throw Error("ip_unreadable", "this host has more routes than can be looked at");
    const auto routes = RoutesOf(shown.out, family[1] == '6');
    all.insert(all.end(), routes.begin(), routes.end());
  }
  return all;
}

}  // namespace

sdk::ActionInfo ReaderHost::Describe() const {
  return {.name = "reader",
          .summary = "Check that this host can reach nobody but those named: it may read suspect copies",
          .effect = sdk::Effect::kRead,
          .undoable = false,
          .needs = {.root = true, .network = true, .paths = {}},
          .timeout = "2m",
          .memory_mb = 256,
          .params = {sdk::List("allow").Required().AtMost(64).About(
                         "Addresses and networks that it may have a route to: the coordinator, and the link that leads there"),
                     sdk::List("forbidden").AtMost(16).Default(sdk::Json::array()).About(
                         "ADDRESS:PORT that must not answer: a server of the old network, one of the Internet")}};
}

sdk::ProbeResult ReaderHost::Probe(sdk::Context& context) {
  std::vector<Prefix> allowed;
  for (const std::string& text : context.Param<std::vector<std::string>>("allow")) {
    allowed.push_back(ParsePrefix(text, "allow"));
    if (allowed.back().length == 0) throw Error("bad_params", "parameter allow has " + text + ": that is everybody");
  }
  std::vector<Endpoint> forbidden;
  for (const std::string& text : context.Param<std::vector<std::string>>("forbidden")) forbidden.push_back(ParseEndpoint(text));
  sdk::ProbeResult result;
  const std::vector<Route> routes = Routes(context);
  std::string listed;
  for (const Route& route : routes) listed += (listed.empty() ? "" : "; ") + route.Shown();
  result.evidence.push_back({"command", "ip route show table all: " + (listed.empty() ? "no way out" : listed.substr(0, 1500))});
  std::string why;
  if (const auto beyond = RoutesBeyond(routes, allowed); !beyond.empty()) {
    why = Words(beyond.size() == 1 ? "a route leads" : "routes lead", " beyond what is allowed: ", beyond.front().Shown());
  }
  for (const Endpoint& endpoint : forbidden) {
    context.ThrowIfCancelled();
    bool reached = false;
    const std::string met = TryTo(endpoint, reached);
    const std::string told = Words(endpoint.address.Shown(), " port ", endpoint.port, ": ", std::string_view(met));
    result.evidence.push_back({"network", told});
    if (reached && why.empty()) why = "a forbidden address answers: " + told;
  }
  result.holds = why.empty();
  result.summary = why.empty() ? Words("no route beyond what is allowed, ", forbidden.size(), " forbidden addresses do not answer") : why;
  result.observed = {{"routes", routes.size()}};
  result.claims = {{kReaderClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, result.summary}};
  return result;
}

}  // namespace reprise::backup
