// The addresses of the host that this runs on: a gateway is no member and no post, and a prover is no control of its own.
#pragma once

#include <string>

#include "plugins/bubble/address.h"

namespace reprise::bubble {

// The interface of this host that has `address`; empty: none. Throws Error if the kernel does not say.
std::string InterfaceWith(const Address& address);

}  // namespace reprise::bubble
