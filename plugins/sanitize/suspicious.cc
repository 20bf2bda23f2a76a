#include "plugins/sanitize/suspicious.h"

#include <algorithm>
#include <vector>

#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {
namespace {

bool Has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool PipesIntoShell(const std::string& text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 1)) {
    const std::string rest = Trimmed(text.substr(at + 1));
    for (const char* shell : {"sh", "bash", "dash", "python", "python3", "perl", "/bin/sh", "/bin/bash", "sudo sh", "sudo bash"}) {
      const size_t length = std::string_view(shell).size();
      if (rest.compare(0, length, shell) == 0 && (rest.size() == length || Has(" \t;|&)'\"", rest.substr(length, 1)))) return true;
    }
  }
  return false;
}

// A hidden folder or file among the system's: "/usr/lib/.x/run".
bool HasHiddenPath(const std::string& text) {
  for (size_t at = text.find("/."); at != std::string::npos; at = text.find("/.", at + 1)) {
    const char next = at + 2 < text.size() ? text[at + 2] : ' ';
    if (next == '/' || next == '.' || next == ' ') continue;
    size_t begin = at;
    while (begin > 0 && !Has(" \t\"'=:;(<>", text.substr(begin - 1, 1))) --begin;
    const std::string path = text.substr(begin);
    for (const char* folder : {"/usr/", "/var/", "/lib/", "/etc/", "/opt/", "/bin/", "/sbin/", "/dev/", "/run/"}) {
      if (path.compare(0, std::string_view(folder).size(), folder) == 0) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Suspicion> Suspect(const std::string& command) {
  struct Sign {
    const char* text;
    Sure sure;
    const char* why;
  };
  constexpr Sign kSigns[] = {{"/dev/shm/", Sure::kCertain, "a program in memory"},
                             {"/dev/tcp/", Sure::kCertain, "a connection made by a shell"},
                             {"/dev/udp/", Sure::kCertain, "a connection made by a shell"},
                             {"LD_PRELOAD=", Sure::kCertain, "LD_PRELOAD"},
                             {"nc -e", Sure::kCertain, "a shell given to the network"},
                             {"ncat -e", Sure::kCertain, "a shell given to the network"},
                             {"bash -i", Sure::kLikely, "an interactive shell"},
                             {"sh -i", Sure::kLikely, "an interactive shell"},
                             {"memfd_create", Sure::kCertain, "a program in memory"},
                             {"/var/tmp/", Sure::kLikely, "a folder that anybody may write"},
                             {"/tmp/", Sure::kLikely, "a folder that anybody may write"}};
  const bool decodes = Has(command, "base64 -d") || Has(command, "base64 --decode") || Has(command, "xxd -r") ||
                       Has(command, "openssl enc -d");
  if (PipesIntoShell(command) && (decodes || Has(command, "curl") || Has(command, "wget"))) {
    return Suspicion{Sure::kCertain, "runs what it fetches or decodes"};
  }
  for (const Sign& sign : kSigns) {
    if (Has(command, sign.text)) return Suspicion{sign.sure, sign.why};
  }
  if (decodes) return Suspicion{Sure::kLikely, "decodes something hidden"};
  if (HasHiddenPath(command)) return Suspicion{Sure::kCertain, "a hidden file among the system's"};
  return std::nullopt;
}

bool IsOddPlaceForPrograms(const std::string& path) {
  for (const char* folder : {"/tmp", "/var/tmp", "/dev/shm", "/run/shm", "/run/user", "/run/lock", "/var/lock"}) {
    if (IsBelow(path, folder)) return true;
  }
  return false;
}

}  // namespace reprise::sanitize
