#include "core/cli/plugin_file.h"

#include <elf.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agents/runner/fd.h"
#include "agents/runner/spawn.h"
#include "core/base/status_macros.h"

namespace reprise::cli {
namespace {

constexpr int kDescribeMs = 20'000;
constexpr size_t kOutputMax = 2 << 20;

std::string Written(int file) {
  std::string text;
  char buffer[65536];
  off_t at = 0;
  while (text.size() < kOutputMax) {
    const ssize_t count = pread(file, buffer, sizeof(buffer), at);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
    at += count;
  }
  return text;
}

}  // namespace

std::filesystem::path PluginHostProgram() {
  if (const char* chosen = std::getenv("REPRISE_PLUGIN_HOST"); chosen != nullptr && *chosen != '\0') return chosen;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path("reprise-plugin-host") : self.parent_path() / "reprise-plugin-host";
}

absl::Status CheckIsLibrary(const std::filesystem::path& library) {
  std::error_code missing;
  if (!std::filesystem::exists(library, missing)) {
    return absl::NotFoundError(absl::StrCat(library.string(), ": no such file"));
  }
  Elf64_Ehdr head{};  // What matters of it stands at the same place in 32 bits.
  std::ifstream file(library, std::ios::binary);
  file.read(reinterpret_cast<char*>(&head), sizeof(head));
  if (file.gcount() >= 18 && std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_type == ET_DYN) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(library.string(), " is no plugin: expected a shared library (.so) made with REPRISE_PLUGIN, found ",
                   std::filesystem::is_directory(library, missing) ? "a folder" : "a file that is no shared library",
                   "\n  try: reprise plugin new NAME"));
}

absl::StatusOr<PluginFile> DescribePlugin(const std::filesystem::path& library) {
  std::error_code missing;
  RETURN_IF_ERROR(CheckIsLibrary(library));
  const auto program = PluginHostProgram();
  if (!std::filesystem::exists(program, missing)) {
    return absl::NotFoundError(absl::StrCat(program.string(), " is not there; set REPRISE_PLUGIN_HOST"));
  }
  const runner::Fd out(memfd_create("describe-out", MFD_CLOEXEC));
  const runner::Fd err(memfd_create("describe-err", MFD_CLOEXEC));
  runner::SpawnRequest request;
  request.arguments = {program.string(), "--plugin", std::filesystem::absolute(library).string(), "--describe"};
  request.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  request.out = out.get();
  request.err = err.get();
  ASSIGN_OR_RETURN(const pid_t child, runner::Spawn(request));
  const runner::Fd ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  pollfd watched{ended.get(), POLLIN, 0};
  const bool in_time = poll(&watched, 1, kDescribeMs) == 1;
  if (!in_time) kill(-child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  const std::string said = std::string(absl::StripAsciiWhitespace(Written(err.get())));
  if (!in_time) {
    return absl::FailedPreconditionError(absl::StrCat(library.string(), " did not describe itself within ",
                                                      kDescribeMs / 1000, " s"));
  }
  if (status != 0) {
    return absl::FailedPreconditionError(absl::StrCat(library.string(), " cannot be loaded as a plugin: ",
                                                      said.empty() ? runner::DescribeExit(status) : said));
  }
  PluginFile file;
  file.descriptor_json = std::string(absl::StripAsciiWhitespace(Written(out.get())));
  const auto object = nlohmann::json::parse(file.descriptor_json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("name") || !object["name"].is_string() || !object.contains("version") ||
      !object["version"].is_string()) {
    return absl::FailedPreconditionError(
        absl::StrCat(library.string(), " describes itself without a name and a version"));
  }
  file.name = object["name"].get<std::string>();
  file.version = object["version"].get<std::string>();
  return file;
}

}  // namespace reprise::cli
