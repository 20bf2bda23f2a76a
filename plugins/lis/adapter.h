// What the laboratory's actions share: which adapter they are of, and the interface as it is on this host.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugins/lis/connector.h"
#include "plugins/lis/interface_record.h"
#include "plugins/sdk/action.h"
#include "plugins/sdk/application/standing.h"

namespace reprise::lis {

// The profiles/*.json that were built in, by their names.
const std::map<std::string, std::string>& BuiltinProfiles();

inline constexpr sdk::application::Adapter kAdapter = {"lis", "lis", BuiltinProfiles};

inline constexpr const char* kInterfaceClaim = "lis.interface";  // It is as its record says.
inline constexpr const char* kInterfacedClaim = "lis.interfaced";
inline constexpr const char* kNominalClaim = "lis.nominal";

// The profile and the interface of a step.
struct Job {
  explicit Job(const sdk::Context& context);

  sdk::application::Profile profile;
  Connector connector;
  sdk::Notes notes{"lis"};
};

int64_t NowUnixS();

// The interface looked at, from outside: who listens, and whether he speaks.
struct InterfaceFound {
  std::string name;
  InterfaceRecord record;
  sdk::ServiceState service = sdk::ServiceState::kUnknown;
  bool listens = false;
  std::string answer;   // Where the record says open: the acknowledgement's code, or why there is none.
  bool as_recorded = false;
  std::string detail;
  std::vector<sdk::Evidence> evidence;

  std::vector<sdk::Claim> Claims() const;
};

// Asks an open one with a message of training. Needs the network.
InterfaceFound LookAtInterface(const sdk::Context& context, const Job& job);

// The step's profile without the interface, once people have opened it: degraded mode is held to the others. An open
// interface is no fault, but the rung above.
sdk::application::Profile WithoutOpened(const sdk::Context& context);

}  // namespace reprise::lis
