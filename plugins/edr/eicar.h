// The harmless file that every sensor must find, and one that it must let pass.
#pragma once

#include <string>

namespace reprise::edr {

// The 68 bytes of the EICAR test file (eicar.org). Put together only here, while running: whole, it would make this source and
// the plugin's library findings themselves.
std::string Eicar();

inline constexpr const char* kHarmless = "Reprise asks: is this let pass?\n";

}  // namespace reprise::edr
