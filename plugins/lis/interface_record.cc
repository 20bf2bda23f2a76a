#include "plugins/lis/interface_record.h"

#include <ctime>

namespace reprise::lis {
namespace {

using sdk::Error;
using sdk::Json;

constexpr size_t kHistoryMax = 200;

std::string Key(const std::string& interface) { return "interface-" + interface; }

InterfaceState StateIn(const Json& json, const char* field) {
  const auto state = InterfaceStateOf(json.at(field).get<std::string>());
  if (!state) throw Error("notes_broken", std::string("an interface's record has the state ") + json.at(field).get<std::string>().substr(0, 40));
  return *state;
}

}  // namespace

std::string ShownTime(int64_t unix_s) {
  const std::time_t time = static_cast<std::time_t>(unix_s);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc));
}

std::string InterfaceRecord::Shown() const {
  std::string text(NameOf(state));
  if (since_unix_s != 0) text += " since " + ShownTime(since_unix_s);
  if (until_unix_s != 0) text += ", until " + ShownTime(until_unix_s);
  if (!history.empty() && !history.back().decision.empty()) text += ", by decision " + history.back().decision;
  return text;
}

InterfaceRecord ReadRecord(const sdk::Notes& notes, const std::string& interface) {
  const auto note = notes.Get(Key(interface));
  InterfaceRecord record;
  if (!note) return record;
  try {
    record.state = StateIn(*note, "state");
    record.since_unix_s = note->at("since_unix_s");
    record.until_unix_s = note->at("until_unix_s");
    record.supervised_unix_s = note->at("supervised_unix_s");
    for (const Json& move : note->at("history")) {
      record.history.push_back({StateIn(move, "from"), StateIn(move, "to"), move.at("at_unix_s"), move.at("decision"), move.at("until_before")});
    }
  } catch (const Json::exception&) {
    throw Error("notes_broken", "the record of interface " + interface + " is not as this adapter writes it",
                "look at it in " + notes.folder().string() + "; without it the interface is cut");
  }
  return record;
}

void WriteRecord(const sdk::Notes& notes, const std::string& interface, const InterfaceRecord& record) {
  Json history = Json::array();
  for (const MadeMove& move : record.history) {
    history.push_back({{"from", NameOf(move.from)}, {"to", NameOf(move.to)}, {"at_unix_s", move.at_unix_s}, {"decision", move.decision}, {"until_before", move.until_before}});
  }
  notes.Put(Key(interface), {{"state", NameOf(record.state)},
                             {"since_unix_s", record.since_unix_s},
                             {"until_unix_s", record.until_unix_s},
                             {"supervised_unix_s", record.supervised_unix_s},
                             {"history", history}});
}

InterfaceRecord Moved(const InterfaceRecord& record, InterfaceState to, int64_t now_unix_s, int64_t supervised_for_s,
                      const std::string& decision) {
  InterfaceRecord next = record;
  next.history.push_back({record.state, to, now_unix_s, decision, record.until_unix_s});
  if (next.history.size() > kHistoryMax) next.history.erase(next.history.begin());
  next.state = to;
  next.since_unix_s = now_unix_s;
  next.until_unix_s = to == InterfaceState::kOpenSupervised ? now_unix_s + supervised_for_s : 0;
  if (!IsOpen(to)) next.supervised_unix_s = 0;
  if (to == InterfaceState::kOpenSupervised && next.supervised_unix_s == 0) next.supervised_unix_s = now_unix_s;
  return next;
}

InterfaceRecord Unmoved(const InterfaceRecord& record) {
  InterfaceRecord before = record;
  before.state = record.history.back().from;
  before.until_unix_s = record.history.back().until_before;
  before.history.pop_back();
  before.since_unix_s = before.history.empty() ? 0 : before.history.back().at_unix_s;
  if (!IsOpen(before.state)) before.supervised_unix_s = 0;
  return before;
}

}  // namespace reprise::lis
