// A signature's check is a pure function and most of a simulation's time: each is really made once, and remembered.
#pragma once

namespace reprise::sim {

// Keys are new in each simulation: what was remembered is of no more use.
void ForgetVerified();

}  // namespace reprise::sim
