// Hosts that know more than this coordinator: a newer keyring, a newer statement about themselves, tasks of runs that it
// never began. Agents are told only what is durable here, so whoever is ahead says that something durable was lost: the
// folder is an older copy. What each agent says at its hello is in its record; nothing here remembers anything.
//
// A host in other hands says anything. It can stop changes of the keyring by it, until somebody expels it.
// Internal to core/engine, but for IsAhead, CountAhead and DescribeAhead.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "reprise/journal/v1/state.pb.h"

namespace reprise::engine {

// How far a host's word about the serial of its statement is believed beyond what people signed: no host makes itself a
// serial that nobody can go beyond.
inline constexpr uint64_t kStatementSerialStepMax = 1000;

bool IsAhead(const journal::v1::State& state, const journal::v1::HostRecord& host);
uint32_t CountAhead(const journal::v1::State& state);
// "ws-001 has keyring version 3 (here 2), a statement with serial 7 (here 5)"; empty: it knows nothing more.
std::string DescribeAhead(const journal::v1::State& state, const journal::v1::HostRecord& host);

// FAILED_PRECONDITION while an enrolled host has a newer keyring: another next version would fork the chain, and such a
// host would refuse every plan for ever.
absl::Status CheckKeyringIsNewest(const journal::v1::State& state);

// The highest serial of a statement about the host that is known here or to its agent: a new one must go beyond it.
uint64_t HighestStatementSerial(const journal::v1::HostRecord& host);

}  // namespace reprise::engine
