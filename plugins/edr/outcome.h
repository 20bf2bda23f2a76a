// What a sensor's answer about one content means. Not scanned is never clean: clean is said only where the sensor said so
// in exactly its words, and everything that is not understood is not scanned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/edr/profile.h"
#include "plugins/sdk/clamd.h"
#include "plugins/sdk/process.h"

namespace reprise::edr {

enum class Judgement { kNotScanned, kClean, kInfected };

struct Outcome {
  Judgement judgement = Judgement::kNotScanned;
  std::string what;  // The signature's name, or why it was not scanned.
};

std::string_view NameOf(Judgement judgement);

// What clamd said.
Outcome Judged(const sdk::ClamdReply& reply, const SensorRule& rule);

// What a program said with its exit code, its output and, if infected, the name in it.
Outcome ReadCommandResult(const sdk::RunResult& result, const SensorRule& rule);

// The signature as found, unless it is one that says that a limit or a password kept it from looking.
Outcome Found(const std::string& name, const SensorRule& rule);

}  // namespace reprise::edr
