// A gateway between an inside and an outside, each a network of its own with one cable to the gateway, and things that
// listen on both sides. All of it ends with the object; this machine's own network is never touched.
//
//   inside   10.20.0.2, .3 (members), .9 (nobody)  fd00:20::2   --in0   gateway 10.20.0.1, fd00:20::1
//   outside  10.1.0.2 (coordinator), .9 (witness), .11 - .16 (posts)  fd00:1::2, ::9   --out0  gateway 10.1.0.1,
//   fd00:1::1
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "plugins/sdk/process.h"
#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::bubble {

struct Host {
  std::string cable;           // Its end.
  std::string gateways_cable;  // The other.
  std::vector<std::string> addresses;
  std::string gateway4, gateway6;
  std::vector<uint16_t> tcp, udp;
};

inline sockaddr_storage SocketAddress(const std::string& address, uint16_t port, socklen_t& size) {
  sockaddr_storage storage{};
  if (address.find(':') == std::string::npos) {
    auto* four = reinterpret_cast<sockaddr_in*>(&storage);
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &four->sin_addr);
    size = sizeof *four;
  } else {
    auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    inet_pton(AF_INET6, address.c_str(), &six->sin6_addr);
    size = sizeof *six;
  }
  return storage;
}

// Runs a program in the calling thread's network. True if it exits with 0.
inline bool Command(std::vector<std::string> words, std::string* said = nullptr) {
  sdk::FakeCall call(sdk::Json{{"verb", "apply"}, {"work_dir", "/"}});
  const sdk::Context context(call.call(), call.request());
  const sdk::RunResult result = sdk::Run(context, words);
  if (said != nullptr) *said = result.out + result.err;
  return result.ok();
}
inline bool Nft(const std::vector<std::string>& words, std::string* said = nullptr) {
  std::vector<std::string> command = {"nft"};
  command.insert(command.end(), words.begin(), words.end());
  return Command(command, said);
}

// Says back what it is told, on both protocols.
class Echoes {
 public:
  // By UDP at each address: an answer then comes from where it was asked.
  Echoes(const Host& host) {
    for (const uint16_t port : host.tcp) Listen(SOCK_STREAM, port, "::");
    for (const uint16_t port : host.udp) {
      for (const std::string& address : host.addresses) Listen(SOCK_DGRAM, port, address.substr(0, address.find('/')));
    }
  }
  bool ok() const { return ok_; }
  void Once() {
    std::vector<pollfd> wanted;
    for (const auto& one : listeners_) wanted.push_back({one.fd.get(), POLLIN, 0});
    for (const auto& one : lines_) wanted.push_back({one.get(), POLLIN, 0});
    poll(wanted.data(), wanted.size(), 50);
    std::vector<sdk::Fd> more;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].revents == 0) continue;
      char buffer[4096];
      if (i >= listeners_.size()) {
        sdk::Fd& line = lines_[i - listeners_.size()];
        const ssize_t count = recv(line.get(), buffer, sizeof buffer, 0);
        if (count <= 0 || send(line.get(), buffer, static_cast<size_t>(count), MSG_NOSIGNAL) < 0) line.Reset();
      } else if (listeners_[i].type == SOCK_STREAM) {
        more.emplace_back(accept4(wanted[i].fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      } else {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t count =
            recvfrom(wanted[i].fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (count > 0)
          sendto(wanted[i].fd, buffer, static_cast<size_t>(count), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    }
    for (sdk::Fd& line : more) lines_.push_back(std::move(line));
    std::erase_if(lines_, [](const sdk::Fd& line) { return !line; });
  }

 private:
  struct Listener {
    int type;
    sdk::Fd fd;
  };
  void Listen(int type, uint16_t port, const std::string& at) {
    sdk::Fd fd(socket(at.find(':') == std::string::npos ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    socklen_t size = 0;
    const sockaddr_storage any = SocketAddress(at, port, size);
    ok_ = ok_ && bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), size) == 0;
    if (type == SOCK_STREAM) ok_ = ok_ && listen(fd.get(), 16) == 0;
    listeners_.push_back({type, std::move(fd)});
  }
  bool ok_ = true;
  std::vector<Listener> listeners_;
  std::vector<sdk::Fd> lines_;
};

// Addresses are there at once, link-local ones too: nobody asks whether they are taken.
inline bool NoDuplicateCheck() {
  return Command({"sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0"}) &&
         Command({"sysctl", "-q", "-w", "net.ipv6.conf.all.accept_dad=0"});
}

inline std::string ThisNetwork() {
  return "/proc/" + std::to_string(getpid()) + "/task/" + std::to_string(syscall(SYS_gettid)) + "/ns/net";
}

class Network {
 public:
  // Of the calling thread, which is in the gateway's network afterwards. False where there can be none.
  bool Make() {
    if (unshare(CLONE_NEWNET) != 0) return false;
    bool ok = NoDuplicateCheck() && Command({"ip", "link", "set", "lo", "up"});
    const std::string gateway = ThisNetwork();
    ok = ok && Plug("inside", gateway,
                    {"eth0",
                     "in0",
                     {"10.20.0.2/24", "10.20.0.3/24", "10.20.0.9/24", "fd00:20::2/64"},
                     "10.20.0.1",
                     "fd00:20::1",
                     {5432, 53, 8080},
                     {514, 53}});
    ok = ok && Plug("outside", gateway,
                    {"eth0",
                     "out0",
                     {"10.1.0.2/24", "10.1.0.9/24", "10.1.0.11/24", "10.1.0.12/24", "10.1.0.13/24", "10.1.0.14/24",
                      "10.1.0.15/24", "10.1.0.16/24", "fd00:1::2/64", "fd00:1::9/64"},
                     "10.1.0.1",
                     "fd00:1::1",
                     {7443, 443, 53},
                     {514, 53}});
    for (const auto& [cable, four, six] :
         {std::tuple("in0", "10.20.0.1/24", "fd00:20::1/64"), std::tuple("out0", "10.1.0.1/24", "fd00:1::1/64")}) {
      ok = ok && Command({"ip", "addr", "add", four, "dev", cable}) &&
           Command({"ip", "addr", "add", six, "dev", cable, "nodad"}) && Command({"ip", "link", "set", cable, "up"});
    }
    // Link-local addresses, by which neighbours are asked for, come up to a second after the cable.
    return ok && Meets("inside", "fd00:20::1") && Meets("outside", "fd00:1::1");
  }
  ~Network() {
    ended_ = true;
    for (std::thread& side : sides_) side.join();
  }
  // Descriptor of a side's network.
  int side(const std::string& name) const { return networks_.at(name).get(); }

  // A further side, with its own cable to the gateway, which has no address for it yet.
  bool Plug(const std::string& name, const std::string& gateway, const Host& host) {
    std::promise<bool> made;
    sides_.emplace_back([this, name, gateway, host, &made] {
      bool ok = unshare(CLONE_NEWNET) == 0 && NoDuplicateCheck();
      const auto ip = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "ip");
        ok = ok && Command(words);
      };
      networks_[name] = sdk::Fd(open(ThisNetwork().c_str(), O_RDONLY | O_CLOEXEC));
      ip({"link", "set", "lo", "up"});
      ip({"link", "add", host.cable, "type", "veth", "peer", "name", host.gateways_cable, "netns", gateway});
      for (const std::string& address : host.addresses) {
        std::vector<std::string> words = {"addr", "add", address, "dev", host.cable};
        if (address.find(':') != std::string::npos) words.push_back("nodad");
        ip(words);
      }
      ip({"link", "set", host.cable, "up"});
      ip({"route", "add", "default", "via", host.gateway4});
      if (!host.gateway6.empty()) ip({"route", "add", "default", "via", host.gateway6});
      Echoes echoes(host);
      made.set_value(ok && echoes.ok());
      while (!ended_) echoes.Once();
    });
    return made.get_future().get();
  }

 private:
  // True once the gateway says that nobody listens there.
  bool Meets(const std::string& name, const std::string& gateway) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    bool met = false;
    std::thread([&] {
      if (setns(side(name), CLONE_NEWNET) != 0) return;
      while (!met && std::chrono::steady_clock::now() < end) {
        const sdk::Fd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval limit = {0, 300'000};
        setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        socklen_t size = 0;
        const sockaddr_storage address = SocketAddress(gateway, 9, size);
        met = connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno == ECONNREFUSED;
        if (!met) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }).join();
    return met;
  }
  std::atomic<bool> ended_{false};
  std::vector<std::thread> sides_;
  std::map<std::string, sdk::Fd> networks_;
};

// `body` in a thread of that network.
inline void In(int network, const std::function<void()>& body) {
  std::thread([&] {
    if (setns(network, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
    body();
  }).join();
}

// One conversation, opened in a network and then usable from anywhere.
class Line {
 public:
  Line(int network, const std::string& from, const std::string& to, uint16_t port, int type = SOCK_STREAM) {
    In(network, [&] {
      fd_ = sdk::Fd(socket(to.find(':') == std::string::npos ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
      const timeval limit = {0, 700'000};
      setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      socklen_t size = 0;
      sockaddr_storage address = SocketAddress(from, 0, size);
      open_ = bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
      address = SocketAddress(to, port, size);
      open_ = open_ && connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
    });
  }
  // Something is said, and comes back.
  bool Talks() {
    char buffer[16];
    return open_ && send(fd_.get(), "hello", 5, MSG_NOSIGNAL) == 5 && recv(fd_.get(), buffer, sizeof buffer, 0) == 5;
  }

 private:
  sdk::Fd fd_;
  bool open_ = false;
};

}  // namespace reprise::bubble
