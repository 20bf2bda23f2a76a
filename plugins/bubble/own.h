// The addresses of the gateway itself: nobody inside or outside has one of them.
#pragma once

#include <string>

#include "plugins/bubble/address.h"

namespace reprise::bubble {

// The interface of this host that has `address`; empty: none. Throws Error if the kernel does not say.
std::string InterfaceWith(const Address& address);

}  // namespace reprise::bubble
