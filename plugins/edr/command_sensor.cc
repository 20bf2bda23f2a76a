#include "plugins/edr/command_sensor.h"

#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

using sdk::Error;

constexpr std::chrono::milliseconds kCommandAnswer = std::chrono::seconds(20);
constexpr std::chrono::milliseconds kCommandScan = std::chrono::seconds(180);

std::vector<std::string> Filled(const std::vector<std::string>& command, const std::string& file) {
  std::vector<std::string> filled;
  for (std::string word : command) {
    const size_t at = word.find("{file}");
    if (at != std::string::npos) word.replace(at, 6, file);
    filled.push_back(std::move(word));
  }
  return filled;
}

}  // namespace

sdk::RunResult CommandSensor::Ask(const std::vector<std::string>& command, std::chrono::milliseconds limit) const {
  try {
    return sdk::Run(context_, command, {.timeout = limit, .output_max = 16 << 10});
  } catch (const Error& error) {
    if (error.code() != "not_found") throw;
    throw Error("sensor_absent", error.what(), "edr.install installs it");
  }
}

std::string CommandSensor::Version() {
  const sdk::RunResult result = Ask(rule_.version_command, kCommandAnswer);
  if (!result.ok()) throw Error("sensor_silent", rule_.version_command[0] + ": " + result.Why());
  const std::string version = result.out.substr(0, result.out.find('\n'));
  if (version.empty()) throw Error("sensor_silent", rule_.version_command[0] + " does not say its version");
  return version.substr(0, 200);
}

Outcome CommandSensor::ScanBytes(std::string_view bytes) {
  const std::filesystem::path path = context_.work_dir() / "content-to-scan";
  sdk::WriteFileAtomically(path, bytes);
  const Outcome outcome = ScanFile(-1, path);
  // A sensor that watches files may have taken an infected one away already.
  sdk::RemoveFile(path);
  return outcome;
}

Outcome CommandSensor::ScanFile(int, const std::filesystem::path& path) {
  // A path is absolute, so that no file name is read as an option.
  if (!path.is_absolute()) return {Judgement::kNotScanned, "its path is not absolute"};
  return ReadCommandResult(Ask(Filled(rule_.scan_command, path.string()), kCommandScan), rule_);
}

}  // namespace reprise::edr
