// reprise-backup-holder FILE: attaches what FILE says, answers on its socket with a fresh proof, detaches on SIGTERM.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "plugins/backup/holder/attachment.h"

namespace reprise::backup {
namespace {

constexpr int kAnswerMs = 2000;

sdk::Fd Listen(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(folder, ignored);
  chmod(folder.c_str(), 0700);
  unlink(path.c_str());
  sdk::Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size());
  if (!listener || bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0600) != 0 || listen(listener.get(), 16) != 0) {
    throw std::runtime_error("listen on " + path + ": " + std::strerror(errno));
  }
  return listener;
}

void Answer(const sdk::Fd& listener, const nlohmann::json& answer) {
  const sdk::Fd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!peer) return;
  const timeval limit{kAnswerMs / 1000, 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const std::string text = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

int Hold(const std::string& file) {
  const Wanted wanted = WantedOf(nlohmann::json::parse(sdk::ReadFile(file, 1 << 16)));
  // Told to end while it attaches, it detaches right after.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const sdk::Fd told(signalfd(-1, &signals, SFD_CLOEXEC));
  // Who asks learns also why it could not be attached, so that it listens first and stays.
  const sdk::Fd listener = Listen(wanted.socket);
  std::optional<Attachment> attachment;
  std::string error;
  try {
    attachment.emplace(wanted);
    std::printf("attached %s at %s\n", wanted.source.c_str(), wanted.target.c_str());
  } catch (const std::exception& problem) {
    error = problem.what();
    std::printf("cannot attach: %s\n", error.c_str());
  }
  std::fflush(stdout);
  for (;;) {
    pollfd waits[] = {{told.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) break;
    if (waits[1].revents == 0) continue;
    nlohmann::json answer = attachment ? attachment->Proof() : nlohmann::json{{"error", error}};
    answer["wanted"] = ToJson(wanted);
    Answer(listener, answer);
  }
  const std::string busy = attachment ? attachment->Detach() : "";
  std::printf("detached %s%s%s\n", wanted.source.c_str(), busy.empty() ? "" : ", still in use: ", busy.c_str());
  unlink(wanted.socket.c_str());
  rmdir(std::filesystem::path(wanted.socket).parent_path().c_str());
  return 0;
}

}  // namespace
}  // namespace reprise::backup

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] != '/') {
    std::fputs("usage: reprise-backup-holder FILE    (started by the action backup.attach)\n", stderr);
    return 2;
  }
  try {
    return reprise::backup::Hold(argv[1]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "reprise-backup-holder: %s\n", problem.what());
    return 1;
  }
}
