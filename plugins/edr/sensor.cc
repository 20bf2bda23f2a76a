#include "plugins/edr/sensor.h"

#include "plugins/edr/clamd_sensor.h"
#include "plugins/edr/command_sensor.h"

namespace reprise::edr {

std::unique_ptr<Sensor> MakeSensor(const sdk::Context& context, const SensorRule& rule) {
  if (rule.speaks == Speaks::kCommand) return std::make_unique<CommandSensor>(context, rule);
  return std::make_unique<ClamdSensor>(context, rule);
}

}  // namespace reprise::edr
