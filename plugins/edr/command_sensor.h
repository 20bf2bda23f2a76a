// A sensor that is asked by a program of the vendor's: its exit code and output, as the profile explains them.
#pragma once

#include "plugins/edr/sensor.h"

namespace reprise::edr {

class CommandSensor final : public Sensor {
 public:
  CommandSensor(const sdk::Context& context, const SensorRule& rule) : context_(context), rule_(rule) {}

  std::string Version() override;
  Outcome ScanBytes(std::string_view bytes) override;
  Outcome ScanFile(int fd, const std::filesystem::path& path) override;

 private:
  sdk::RunResult Ask(const std::vector<std::string>& command, std::chrono::milliseconds limit) const;

  const sdk::Context& context_;
  const SensorRule& rule_;
};

}  // namespace reprise::edr
