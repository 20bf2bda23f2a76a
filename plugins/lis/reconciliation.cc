#include "plugins/lis/reconciliation.h"

#include <algorithm>

#include "plugins/lis/split.h"
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

// Why `line` is no control id; empty if it is one.
std::string WhyNoId(std::string_view line) {
  if (line.size() > 199) return "it is " + std::to_string(line.size()) + " bytes long, at most 199 are one id";
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] == ' ' || line[at] == '\t') return "it has a blank at column " + std::to_string(at + 1);
    if (line[at] < ' ' || line[at] > '~') return "it has a byte that is no plain character at column " + std::to_string(at + 1);
  }
  return "";
}

constexpr const char* kUnmade = "acknowledged and not in the laboratory's own tables";

std::string Some(const std::vector<std::string>& ids, const char* what) {
  if (ids.empty()) return "";
  std::string text = "; " + std::to_string(ids.size()) + " " + what + " (";
  for (size_t i = 0; i < ids.size() && i < 5; ++i) text += (i == 0 ? "" : ", ") + ids[i];
  return text + (ids.size() > 5 ? ", …)" : ")");
}

}  // namespace

std::string Traffic::Shown() const {
  return std::to_string(in()) + " in, " + std::to_string(sent) + " out, " + std::to_string(nacks()) + " refused, " +
         std::to_string(backlog.size()) + " waiting" +
         Some({unmade.begin(), unmade.end()}, kUnmade);
}

Traffic ParseTraffic(std::string_view rows) {
  Traffic traffic;
  for (const std::string_view line : LinesOf(rows)) {
    const std::vector<std::string_view> fields = Split(line, '\t');
    const bool counted = fields.size() == 4;
    // A control id with a tab in it would stand for another: the number of fields is held to.
    if ((fields.size() != 3 && !counted) || (counted && (fields[3].empty() || fields[3].find_first_not_of("0123456789") != line.npos))) {
      throw Error("bad_answer", "a row of messages is not direction, control id, acknowledgement, and how many rows came of it");
    }
    const std::string_view direction = fields[0], ack = fields[2];
    const std::string id(fields[1]);
    const bool accepted = ack == "AA" || ack == "CA";
    if (direction == "in") {
      if (accepted && counted && fields[3].find_first_not_of('0') == line.npos) {
        traffic.unmade.insert(id);
      } else if (accepted) {
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
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::vector<std::string_view> lines = Split(text, '\n');
  for (size_t at = 0; at < lines.size(); ++at) {
    const std::string_view line = lines[at].substr(0, lines[at].find_last_not_of(" \t\r") + 1);
    if (line.empty() || line[0] == '#') continue;
    if (const std::string why = WhyNoId(line); !why.empty()) {
      throw Error("bad_ledger", "line " + std::to_string(at + 1) + " of the other side's list is no control id: " + why, "a control id (MSH-10) a line");
    }
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
    if (!traffic.received.contains(id) && !traffic.unmade.contains(id)) result.lost.push_back(id);
  }
  for (const auto& [id, times] : traffic.received) {
    if (times > 1) result.doubled.push_back(id);
    if (!sent.contains(id)) result.unsent.push_back(id);
  }
  result.unmade.assign(traffic.unmade.begin(), traffic.unmade.end());
  return result;
}

std::string Reconciled::Shown() const {
  if (holds()) return "all " + std::to_string(sent) + " messages of the other side are here once";
  return std::to_string(sent) + " messages sent by the other side" + Some(lost, "lost") + Some(doubled, "doubled") +
         Some(unsent, "that nobody sent") + Some(unmade, kUnmade);
}

}  // namespace reprise::lis
