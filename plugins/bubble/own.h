// The addresses and interfaces of the host that this runs on: a gateway is no member and no post, a prover is no control of
// its own, and rules hold only interfaces that are there.
#pragma once

#include <string>

#include "plugins/bubble/address.h"

namespace reprise::bubble {

// The interface of this host that has `address`; empty: none. Throws Error if the kernel does not say.
std::string InterfaceWith(const Address& address);
// By its own name, as rules compare it: an alternative name of it does not count.
bool HasInterface(const std::string& name);

}  // namespace reprise::bubble
