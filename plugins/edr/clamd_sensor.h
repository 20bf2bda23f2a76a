// clamd over its socket in the file system (plugins/sdk/clamd.h), judged by the profile's rule.
#pragma once

#include "plugins/edr/sensor.h"
#include "plugins/sdk/clamd.h"

namespace reprise::edr {

class ClamdSensor final : public Sensor {
 public:
  ClamdSensor(const sdk::Context& context, const SensorRule& rule) : clamd_(context, rule.socket), rule_(rule) {}

  std::string Version() override;
  Outcome ScanBytes(std::string_view bytes) override;
  Outcome ScanFile(int fd, const std::filesystem::path& path) override;

 private:
  const sdk::Clamd clamd_;
  const SensorRule& rule_;
};

}  // namespace reprise::edr
