// Prometheus' own tool, asked for its judgement.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern char** environ;

namespace reprise::coordinator::testing {

struct Verdict {
  bool ran = false;
  int exit_code = -1;
  std::string said;
};

inline Verdict Promtool(std::vector<std::string> arguments, const std::string& input = "") {
  std::string folder = std::filesystem::temp_directory_path() / "promtool-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return {};
  const std::filesystem::path in = std::filesystem::path(folder) / "in", out = std::filesystem::path(folder) / "out";
  std::ofstream(in) << input;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  arguments.insert(arguments.begin(), "promtool");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  Verdict verdict;
  pid_t child = 0;
  verdict.ran = posix_spawnp(&child, "promtool", &actions, nullptr, argv.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  if (verdict.ran) {
    int status = 0;
    waitpid(child, &status, 0);
    verdict.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::ifstream said(out);
  verdict.said.assign(std::istreambuf_iterator<char>(said), {});
  std::filesystem::remove_all(folder);
  return verdict;
}

// The project's root: the folder above, from wherever the test is run, that holds dashboards/.
inline std::filesystem::path ProjectRoot() {
  for (auto folder = std::filesystem::current_path(); folder != folder.root_path(); folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / "dashboards" / "prometheus")) return folder;
  }
  return {};
}

}  // namespace reprise::coordinator::testing
