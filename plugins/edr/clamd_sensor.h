// clamd over its socket in the file system: VERSION, INSTREAM (bytes), FILDES (an open file: clamd needs no right to it).
// A connection for each question; every wait is bounded by the verb's deadline and its cancellation.
#pragma once

#include <chrono>

#include "plugins/edr/sensor.h"
#include "plugins/sdk/file.h"

namespace reprise::edr {

class ClamdSensor final : public Sensor {
 public:
  ClamdSensor(const sdk::Context& context, const SensorRule& rule) : context_(context), rule_(rule) {}

  std::string Version() override;
  Outcome ScanBytes(std::string_view bytes) override;
  Outcome ScanFile(int fd, const std::filesystem::path& path) override;

 private:
  sdk::Fd Connect() const;
  // False: the daemon has closed; what it says about that is still to be read.
  bool Send(int socket, std::string_view bytes) const;
  std::string Receive(int socket, std::chrono::milliseconds limit) const;
  void WaitFor(int socket, short events, std::chrono::milliseconds limit) const;

  const sdk::Context& context_;
  const SensorRule& rule_;
};

}  // namespace reprise::edr
