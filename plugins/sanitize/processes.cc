#include "plugins/sanitize/processes.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDeleted = " (deleted)";
constexpr uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD

std::string LinkOf(const std::string& path, int& error) {
  std::string target(4096, '\0');
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  error = size < 0 ? errno : 0;
  target.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return target;
}

std::string ReadAll(const std::string& path) {
  try {
    return sdk::ReadFileIfThere(path, 8 << 20).value_or("");
  } catch (const std::exception&) {
    return "";  // It ended meanwhile.
  }
}

// "N (name) S ppid … flags … starttime …"; false: it is gone.
bool ReadStat(Process& process, const std::string& folder, char& state) {
  const std::string text = ReadAll(folder + "/stat");
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  process.name = text.substr(open + 1, close - open - 1);
  std::istringstream fields(text.substr(close + 1));
  std::vector<std::string> all;
  for (std::string field; fields >> field;) all.push_back(field);
  if (all.size() < 20) return false;
  state = all[0][0];
  const auto number = [&](size_t i) {
    uint64_t value = 0;
    std::from_chars(all[i].data(), all[i].data() + all[i].size(), value);
    return value;
  };
  process.parent = static_cast<pid_t>(number(1));
  process.kernel = (number(6) & kKernelThread) != 0;
  process.started = number(19);
  return true;
}

void ReadSockets(Process& process, const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder + "/fd", error), end; !error && at != end; at.increment(error)) {
    int failed = 0;
    const std::string target = LinkOf(at->path().string(), failed);
    uint64_t inode = 0;
    if (target.compare(0, 8, "socket:[") == 0) {
      std::from_chars(target.data() + 8, target.data() + target.size(), inode);
      process.sockets.insert(inode);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::no_such_process) {
    process.why_not = error.message();
  }
}

// "0100007F:1F90": words of the address in the machine's order.
bool ReadAddress(const std::string& text, Listener& listener) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return false;
  unsigned char bytes[16] = {};
  for (size_t word = 0; word < colon / 8; ++word) {
    uint32_t value = 0;
    std::from_chars(text.data() + word * 8, text.data() + word * 8 + 8, value, 16);
    std::memcpy(bytes + word * 4, &value, 4);
  }
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), listener.port, 16);
  char shown[INET6_ADDRSTRLEN] = "";
  inet_ntop(colon == 8 ? AF_INET : AF_INET6, bytes, shown, sizeof shown);
  listener.address = shown;
  listener.loopback = listener.address == "::1" || listener.address.compare(0, 4, "127.") == 0 ||
                      listener.address.compare(0, 11, "::ffff:127.") == 0;
  return true;
}

}  // namespace

std::string Process::Script() const {
  const std::string interpreter = program.substr(program.rfind('/') + 1);
  bool interprets = false;
  for (const char* name : {"sh", "bash", "dash", "zsh", "ksh", "busybox", "python", "perl", "ruby", "php", "node", "lua"}) {
    interprets = interprets || interpreter.compare(0, std::strlen(name), name) == 0;
  }
  if (!interprets) return "";
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i].empty() || arguments[i][0] == '-') continue;
    return arguments[i][0] == '/' ? arguments[i] : "";
  }
  return "";
}

std::string Process::CommandLine() const {
  std::string line;
  for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + argument;
  return line.substr(0, 2000);
}

std::string WhyNoProcesses() {
  std::string first = ReadAll("/proc/1/comm");
  while (!first.empty() && first.back() == '\n') first.pop_back();
  if (first.empty()) return "/proc is not there";
  return first == "bwrap" ? "the agent shows this plugin its own processes only" : "";
}

std::vector<Process> ReadProcesses() {
  std::vector<Process> processes;
  // Where the host's own root is not that of its mounts, the kernel names programs from the latter. Only the host's is left
  // out: another root, which a process has for itself, is where its program lies.
  int no_root = 0;
  const std::string root = LinkOf("/proc/1/root", no_root);
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    Process process;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), process.pid);
    if (bad != std::errc() || rest != name.data() + name.size()) continue;
    const std::string folder = "/proc/" + name;
    char state = ' ';
    if (!ReadStat(process, folder, state) || state == 'Z' || state == 'X') continue;
    if (!process.kernel) {
      int failed = 0;
      process.program = LinkOf(folder + "/exe", failed);
      if (failed == ENOENT || failed == ESRCH) continue;  // It ended meanwhile.
      if (failed != 0) process.why_not = std::generic_category().message(failed);
      if (process.program.size() > kDeleted.size() &&
          process.program.compare(process.program.size() - kDeleted.size(), kDeleted.size(), kDeleted) == 0) {
        process.program.resize(process.program.size() - kDeleted.size());
        process.deleted = true;
      }
      if (root.size() > 1 && IsBelow(process.program, root)) process.program.erase(0, root.size());
      if (process.program.compare(0, 7, "/memfd:") == 0) process.program.erase(0, 1);
      std::string argument;
      for (const char c : ReadAll(folder + "/cmdline")) {
        if (c == '\0') {
          process.arguments.push_back(std::exchange(argument, ""));
        } else {
          argument += c;
        }
      }
      if (!argument.empty()) process.arguments.push_back(argument);
      process.network = LinkOf(folder + "/ns/net", failed);
      ReadSockets(process, folder);
    }
    processes.push_back(std::move(process));
  }
  return processes;
}

std::vector<Listener> ReadListeners(pid_t pid) {
  std::vector<Listener> listeners;
  const std::string folder = "/proc/" + std::to_string(pid) + "/net/";
  for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    const auto text = sdk::ReadFileIfThere(folder + protocol, 64 << 20);
    if (!text) continue;  // No IPv6 here.
    const bool tcp = protocol[0] == 't';
    for (const std::string& line : Lines(*text)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, skip;
      Listener listener = {.protocol = tcp ? "tcp" : "udp"};
      fields >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skip;  // Queues, timer, retransmits, uid, timeout.
      // 0A: listening; 07: a UDP socket that is not connected.
      if (!(fields >> listener.inode) || state != (tcp ? "0A" : "07") || !ReadAddress(local, listener)) continue;
      listeners.push_back(listener);
    }
  }
  for (const std::string& line : Lines(sdk::ReadFileIfThere(folder + "packet", 16 << 20).value_or(""))) {
    std::istringstream fields(line);
    std::string skip;
    Listener listener = {.protocol = "packet"};
    for (int i = 0; i < 8; ++i) fields >> skip;
    if (fields >> listener.inode) listeners.push_back(listener);
  }
  return listeners;
}

std::string ProgramSha256(pid_t pid) {
  const sdk::Fd fd(open(("/proc/" + std::to_string(pid) + "/exe").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  return fd ? Sha256OfFd(fd.get()) : "";
}

}  // namespace reprise::sanitize
