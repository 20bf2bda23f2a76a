// What the child may still do once it is confined: read files, think, and write to the pipes that it has.
#pragma once

#include <cstdint>

namespace reprise::backup {

// Memory limit, no new files, no core, no network, no other program, no more rights; ends with its parent. False: the
// kernel refused a part of it, errno says why.
bool Confine(uint64_t memory_max);

}  // namespace reprise::backup
