// JSON that hosts and plugins told, as lines that people read: one for each value, under the path that leads to it.
//
//   {"os": {"name": "Debian", "release": 12}, "disks": ["sda", "sdb"]}
//
//   os.name: Debian
//   os.release: 12
//   disks: sda, sdb
#pragma once

#include <string>
#include <vector>

#include "core/cli/json_output.h"

namespace reprise::cli {

// In the order of the text; each fit to be printed. What stands deeper than eight levels is one line of JSON.
std::vector<std::string> LinesOf(const Json& value);

}  // namespace reprise::cli
