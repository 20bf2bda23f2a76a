// The host's processes and sockets, as /proc shows them. They are the host's only for an action that declares needs.processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace reprise::sanitize {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  uint64_t started = 0;  // In ticks since boot: with the pid it names one process.
  std::string name;
  std::string program;   // Without " (deleted)"; "memfd:x" for one in memory. Empty: cannot be read.
  bool deleted = false;
  bool kernel = false;
  std::vector<std::string> arguments;
  std::string network;   // Its network namespace.
  std::set<uint64_t> sockets;
  std::string why_not;   // Why its program or sockets could not be read.

  // What an interpreter was told to run, if that is a file; else empty.
  std::string Script() const;
  std::string CommandLine() const;
};

struct Listener {
  std::string protocol;  // tcp, udp, or packet (sees all that passes).
  std::string address;   // As the kernel writes it, made readable.
  int port = 0;
  uint64_t inode = 0;
  bool loopback = false;
};

// Why /proc is not the host's; empty if it is.
std::string WhyNoProcesses();
std::vector<Process> ReadProcesses();
// Of the network namespace that `pid` is in. Throws std::system_error.
std::vector<Listener> ReadListeners(pid_t pid);
// The content of the program that it runs, even when its file is gone; empty if it cannot be read.
std::string ProgramSha256(pid_t pid);

}  // namespace reprise::sanitize
