#include "plugins/lis/reconciliation.h"

#include <algorithm>

#include "plugins/sdk/application/postgres.h"
#include "plugins/sdk/application/profile_reader.h"

namespace reprise::lis {
namespace {

using sdk::Error;

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string Some(const std::vector<std::string>& ids, const char* what) {
  if (ids.empty()) return "";
  std::string text = "; " + std::to_string(ids.size()) + " " + what + " (";
  for (size_t i = 0; i < ids.size() && i < 5; ++i) text += (i == 0 ? "" : ", ") + ids[i];
  return text + (ids.size() > 5 ? ", …)" : ")");
}

}  // namespace

std::string Traffic::Shown() const {
  return std::to_string(in()) + " in, " + std::to_string(sent) + " out, " + std::to_string(nacks()) + " refused, " +
         std::to_string(backlog.size()) + " waiting";
}

Traffic ParseTraffic(std::string_view rows) {
  Traffic traffic;
  for (const std::string_view line : LinesOf(rows)) {
    const size_t first = line.find('\t');
    const size_t second = first == line.npos ? line.npos : line.find('\t', first + 1);
    if (second == line.npos) throw Error("bad_answer", "a row of messages is not direction, control id, acknowledgement");
    const std::string_view direction = line.substr(0, first);
    const std::string id(line.substr(first + 1, second - first - 1));
    const std::string_view ack = line.substr(second + 1);
    const bool accepted = ack == "AA" || ack == "CA";
    if (direction == "in") {
      if (accepted) {
        ++traffic.received[id];
      } else {
        traffic.refused.insert(id);
      }
    } else if (direction == "out") {
      if (accepted) {
        ++traffic.sent;
      } else if (ack.empty()) {
        traffic.backlog.insert(id);
      } else {
        traffic.sent_refused.insert(id);
      }
    } else {
      throw Error("bad_answer", "a message's direction is " + std::string(direction.substr(0, 40)) + ", expected in or out");
    }
  }
  return traffic;
}

Traffic ReadTraffic(const sdk::Context& context, const sdk::application::Profile& profile, const Connector& connector,
                    int64_t since_unix_s) {
  const sdk::application::Postgres postgres(context, profile.cluster);
  const sdk::application::Module& module = sdk::application::ModuleOf(profile, connector.module);
  sdk::RunOptions options = postgres.ClientOptions(std::string(sdk::application::Postgres::kReading) +
                                                   "-c reprise.since=" + std::to_string(since_unix_s));
  options.output_max = 64 << 20;
  const sdk::RunResult rows =
      sdk::Run(context, postgres.Client("psql", module.base, module.owner,
                                        {"-X", "-A", "-t", "-q", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", connector.messages}),
               options);
  if (!rows.ok()) sdk::application::ThrowClient(rows, "asking base " + module.base + " for its messages", "query_failed");
  if (rows.truncated) throw Error("too_large", "base " + module.base + " has more messages than can be compared at once");
  return ParseTraffic(rows.out);
}

std::vector<std::string> ParseLedger(std::string_view text) {
  std::vector<std::string> ids;
  size_t number = 0;
  for (const std::string_view line : LinesOf(text)) {
    ++number;
    if (line[0] == '#') continue;
    const bool plain = line.size() <= 199 && std::all_of(line.begin(), line.end(), [](char c) { return c > ' ' && c < 127; });
    if (!plain) throw Error("bad_ledger", "line " + std::to_string(number) + " of the other side's list is no control id", "a control id (MSH-10) a line");
    ids.emplace_back(line);
  }
  return ids;
}

Reconciled Reconcile(const std::vector<std::string>& ledger, const Traffic& traffic) {
  // An id that was sent twice, after a lost acknowledgement, is one message.
  const std::set<std::string> sent(ledger.begin(), ledger.end());
  Reconciled result;
  result.sent = sent.size();
  for (const std::string& id : sent) {
    if (!traffic.received.contains(id)) result.lost.push_back(id);
  }
  for (const auto& [id, times] : traffic.received) {
    if (times > 1) result.doubled.push_back(id);
    if (!sent.contains(id)) result.unsent.push_back(id);
  }
  return result;
}

std::string Reconciled::Shown() const {
  if (holds()) return "all " + std::to_string(sent) + " messages of the other side are here once";
  return std::to_string(sent) + " messages sent by the other side" + Some(lost, "lost") + Some(doubled, "doubled") +
         Some(unsent, "that nobody sent");
}

}  // namespace reprise::lis
