// What a host is: operating system, kernel, processor, memory, disks, addresses, packages, services, listening ports.
// Read from files only, without starting a program; bounded; nothing about people.
#pragma once

#include <filesystem>
#include <string>

namespace reprise::daemon {

// A JSON object:
//   os {id, version, name}   kernel {release, machine}   hostname   uptime_s
//   cpu {count, model}   memory_bytes   disks [{mount, type, size_bytes, free_bytes}]
//   addresses [{interface, address}]   packages {manager, count, sha256}   services [{name, manager}]
//   listening [{protocol, address, port}]
// A part that cannot be read is left out. `root` is "/" but in tests.
std::string GatherFacts(const std::filesystem::path& root = "/");

}  // namespace reprise::daemon
