#include "plugins/edr/clamd_sensor.h"

namespace reprise::edr {
namespace {

// In a sensor's words.
template <typename Asked>
auto AsSensor(const Asked& asked) {
  try {
    return asked();
  } catch (const sdk::Error& error) {
    if (error.code() == "clamd_absent") throw sdk::Error("sensor_absent", error.what(), "is its service running? edr.install starts it");
    if (error.code() == "clamd_silent" || error.code() == "timed_out") throw sdk::Error("sensor_silent", error.what(), error.hint());
    throw;
  }
}

}  // namespace

std::string ClamdSensor::Version() {
  return AsSensor([&] { return clamd_.Version(); });
}

Outcome ClamdSensor::ScanBytes(std::string_view bytes) {
  return AsSensor([&] { return Judged(clamd_.Stream([&](const sdk::Clamd::Sink& sink) { sink(bytes); }), rule_); });
}

Outcome ClamdSensor::ScanFile(int file, const std::filesystem::path&) {
  return AsSensor([&] { return Judged(clamd_.File(file), rule_); });
}

}  // namespace reprise::edr
