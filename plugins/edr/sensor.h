// Asking a sensor that runs on this host. One interface, an implementation for each way of speaking (Profile::sensor).
// Thread promise: one thread, as long as the verb.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/edr/outcome.h"
#include "plugins/edr/profile.h"
#include "plugins/sdk/context.h"

namespace reprise::edr {

class Sensor {
 public:
  virtual ~Sensor() = default;
  // What it says of itself, so that it is proven alive. Throws Error: "sensor_absent" (nobody is there),
  // "sensor_silent" (somebody, who does not answer).
  virtual std::string Version() = 0;
  // Both throw as Version does when the sensor itself is gone; everything else is an Outcome.
  virtual Outcome ScanBytes(std::string_view bytes) = 0;
  // `fd` is open for reading, its offset at the beginning; `path` is how it was opened.
  virtual Outcome ScanFile(int fd, const std::filesystem::path& path) = 0;
};

// REQUIRES: both outlive what is returned.
std::unique_ptr<Sensor> MakeSensor(const sdk::Context& context, const SensorRule& rule);

}  // namespace reprise::edr
