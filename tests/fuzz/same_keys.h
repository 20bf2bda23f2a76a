// Keys that are the same in every process: what one run found, another can replay.
#pragma once

namespace reprise::fuzz {

// Puts a counter in the place of libsodium's chance. Call it before anything makes a key; never in what people run.
void DrawTheSameKeys();

}  // namespace reprise::fuzz
