// A throw-away host that reads backups: with runit, with /sys, and with what a test puts into /srv/backup.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "plugins/backup/holder/attachment.h"
#include "tests/unit/plugins/own_services.h"

namespace reprise::backup {

namespace fs = std::filesystem;
using nlohmann::json;
using plugins::Answer;
using plugins::PluginBench;

// Taken before the root changes.
inline fs::path Program(const std::string& name) {
  static const fs::path build = BuildFolder();
  return build / "bin" / name;
}

inline bool RunProgram(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  int status = -1;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return false;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A folder with two small tables, sound.
inline void PutTables(const fs::path& folder) {
  fs::create_directories(folder);
  Spit(folder / "a.csv", "id;poste\n1;jour\n2;nuit\n3;repos\n");
  Spit(folder / "b.txt", "Planning de la semaine\n");
}

inline std::vector<json> ClaimsOf(const Answer& answer, const std::string& name) {
  std::vector<json> found;
  for (const json& claim : answer.value.value("claims", json::array())) {
    if (claim.at("name") == name) found.push_back(claim);
  }
  return found;
}
inline std::string StateOf(const Answer& answer, const std::string& name) {
  const auto claims = ClaimsOf(answer, name);
  return claims.size() == 1 ? claims[0].at("state").get<std::string>() : "";
}

}  // namespace reprise::backup
