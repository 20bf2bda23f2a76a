// What runs now: programs from odd places or whose file is gone, and who listens.
#pragma once

#include "plugins/sanitize/examination.h"

namespace reprise::sanitize {

// Kinds process, listener, packet_socket. Looks only at the host that runs this: a mounted disk runs nothing.
void HuntLive(Examination& on);

}  // namespace reprise::sanitize
