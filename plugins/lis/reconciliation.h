// Whether what the other side sent is what the laboratory has: control ids against control ids. Nothing lost, nothing
// doubled, nothing refused, nothing that nobody sent. Pure but for ReadTraffic.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/lis/connector.h"
#include "plugins/sdk/context.h"

namespace reprise::lis {

// What passed, as the laboratory's base has it.
struct Traffic {
  std::map<std::string, int> received;  // Control id -> how often it is kept as accepted.
  std::set<std::string> unmade;         // Accepted, and the application's own tables have nothing of it.
  std::set<std::string> refused;        // Received and not accepted.
  uint64_t sent = 0;                    // Out, acknowledged with AA or CA.
  std::set<std::string> sent_refused;   // Out, acknowledged otherwise.
  std::set<std::string> backlog;        // Out, not yet acknowledged.

  uint64_t in() const { return received.size(); }
  uint64_t nacks() const { return refused.size() + sent_refused.size(); }
  // "12 in, 3 out, 0 refused, 0 waiting"; what was acknowledged and is not there, if any.
  std::string Shown() const;
};

// Lines of psql: direction, control id, acknowledgement and maybe rows of the application's own, divided by tabs. Throws
// Error "bad_answer".
Traffic ParseTraffic(std::string_view rows);
Traffic ReadTraffic(const sdk::Context& context, const sdk::application::Profile& profile, const Connector& connector,
                    int64_t since_unix_s);

struct Reconciled {
  uint64_t sent = 0;                  // By the other side.
  std::vector<std::string> lost;      // Sent, and not kept.
  std::vector<std::string> doubled;   // Kept more than once.
  std::vector<std::string> unsent;    // Kept, and nobody says to have sent it.
  std::vector<std::string> unmade;    // Acknowledged, and not in the application's own tables: as good as lost.
  bool holds() const { return lost.empty() && doubled.empty() && unsent.empty() && unmade.empty(); }
  std::string Shown() const;
};

// The other side's list: a control id a line; empty lines and lines with # do not count, nor do blanks at the end of a line
// and the mark that some editors put at the beginning (UTF-8 BOM). Throws Error "bad_ledger" naming line and reason.
std::vector<std::string> ParseLedger(std::string_view text);
Reconciled Reconcile(const std::vector<std::string>& ledger, const Traffic& traffic);

}  // namespace reprise::lis
