// An HL7 interface as data: the program that speaks it, where it listens, how the base tells what passed. Read from JSON:
// the artifact <profile>.interface.json of the step, else the one built in beside the profile.
#pragma once

#include <string>

#include "plugins/sdk/application/profile.h"
#include "plugins/sdk/context.h"

namespace reprise::lis {

inline constexpr const char* kConnectorFormat = "reprise-hl7-interface/1";

struct Connector {
  std::string name;                     // Among the profile's interfaces.
  std::string title;
  sdk::application::ServiceSpec spec;   // Up: it listens. Down: nobody does.
  std::string address;                  // ADDRESS:PORT where it listens, as this host reaches it.
  int port = 0;
  std::string application, facility;    // Whom messages are for: MSH-5, MSH-6.
  std::string probe_type;               // Of the message that asks whether it answers: MSH-9.
  std::string module;                   // Whose base keeps the messages.
  // Rows: direction (in, out), control id, acknowledgement ("" while there is none) and, where the base can say so, how many
  // rows of the application's own came of it; since current_setting('reprise.since').
  std::string messages;
};

// Throws Error "bad_profile" naming the place; `profile` must have the interface and the module.
Connector ReadConnector(const std::string& text, const std::string& where, const sdk::application::Profile& profile);

// Of this step.
Connector ConnectorOf(const sdk::Context& context, const sdk::application::Profile& profile, const std::string& builtin);

}  // namespace reprise::lis
