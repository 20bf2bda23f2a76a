#include "plugins/bubble/table.h"

#include <algorithm>
#include <set>

#include "plugins/bubble/statement.h"
#include "plugins/sdk/error.h"

namespace reprise::bubble {
namespace {

using sdk::Json;

Json Objects(const std::string& text) try {
  const Json whole = Json::parse(text);
  return whole.at("nftables").get<Json::array_t>();
} catch (const Json::exception& broken) {
  throw sdk::Error("nft_unreadable", "nft -j shows no JSON that is understood: " + std::string(broken.what()));
}

std::vector<std::string> Words(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> words;
  for (const Json& word : value) words.push_back(word.is_string() ? word.get<std::string>() : word.dump());
  std::sort(words.begin(), words.end());
  return words;
}

LoadedSet SetFrom(const Json& json) {
  LoadedSet set;
  const Json type = json.value("type", Json());
  if (type.is_array()) {
    for (const Json& word : type) set.rule.type.push_back(word.is_string() ? word.get<std::string>() : word.dump());
  } else {
    set.rule.type = Words(type);
  }
  set.rule.flags = Words(json.value("flags", Json::array()));
  set.rule.size = json.value("size", 0);
  set.rule.timeout_s = json.value("timeout", int64_t{0});
  set.rule.counts = json.value("stmt", Json()) == Json::parse(R"([{"counter":null}])");
  for (const Json& item : json.value("elem", Json::array())) {
    if (!item.is_object() || !item.contains("elem") || !item["elem"].is_object()) {
      set.elements[ElementText(item)] = {};
      continue;
    }
    const Json& element = item["elem"];
    set.elements[ElementText(element.value("val", Json()))] = {
        element.value("counter", Json::object()).value("packets", int64_t{0}), element.value("timeout", int64_t{0}),
        element.value("expires", int64_t{0})};
  }
  return set;
}

std::string ChainHead(const Json& chain) {
  std::string head = "type " + chain.value("type", "?") + " hook " + chain.value("hook", "?") + " priority " +
                     chain.value("prio", Json()).dump() + " policy " + chain.value("policy", "?");
  return chain.contains("dev") ? head + " dev " + chain["dev"].dump() : head;
}

void CompareChains(const Chains& expected, const Chains& found, std::vector<std::string>& differences) {
  for (const auto& [chain, lines] : expected) {
    const auto there = found.find(chain);
    if (there == found.end()) {
      differences.push_back("chain " + chain + " is missing");
      continue;
    }
    // The first that is otherwise: what follows has only moved.
    for (size_t i = 0; i < std::max(lines.size(), there->second.size()); ++i) {
      const std::string wanted = i < lines.size() ? lines[i] : "(nothing)";
      const std::string is = i < there->second.size() ? there->second[i] : "(nothing)";
      if (wanted == is) continue;
      differences.push_back("chain " + chain + " has \"" + is.substr(0, 160) + "\", expected \"" +
                            wanted.substr(0, 160) + "\"");
      break;
    }
  }
  for (const auto& [chain, lines] : found) {
    if (!expected.contains(chain)) differences.push_back("chain " + chain + " is not ours");
  }
}

bool SameRule(const SetRule& one, const SetRule& other) {
  return one.type == other.type && one.flags == other.flags && one.size == other.size &&
         one.timeout_s == other.timeout_s && one.counts == other.counts;
}

// Elements of the sets of flows: each must have been opened, and must end in time.
void CompareFlows(const Bubble& bubble, const std::string& set, const LoadedSet& loaded, int64_t now_ms,
                  std::vector<std::string>& differences) {
  constexpr int64_t kSlackMs = 5000;  // The kernel's clock and the wall's; seconds are rounded.
  for (const auto& [element, figures] : loaded.elements) {
    const Flow* opened = nullptr;
    for (const Flow& flow : bubble.flows) {
      if (flow.closed_ms != 0 || Tuple(flow.from, flow.to) != element) continue;
      if (opened == nullptr || flow.until_ms > opened->until_ms) opened = &flow;
    }
    if (opened == nullptr) {
      differences.push_back("set " + set + " has " + element + ", which no decision opened");
      continue;
    }
    const int64_t until_ms = set.rfind("flows", 0) == 0 ? opened->until_ms : opened->supervised_until_ms;
    if (figures.timeout_s == 0 || now_ms + figures.expires_s * 1000 > until_ms + kSlackMs) {
      differences.push_back("set " + set + " has " + element + " beyond the time for which it was opened");
    }
  }
}

void CompareSets(const Bubble& bubble, const Table& table, int64_t now_ms, std::vector<std::string>& differences) {
  const auto rules = SetsOf(bubble.charter);
  Elements wanted = ElementsOf(bubble);
  if (table.Sealed()) wanted["sealed"] = SealedElements();
  for (const auto& [name, rule] : rules) {
    const auto there = table.sets.find(name);
    if (there == table.sets.end()) {
      differences.push_back("set " + name + " is missing");
      continue;
    }
    if (!SameRule(rule, there->second.rule)) differences.push_back("set " + name + " has another type, size or flags");
    if (rule.grows) continue;
    if (name.rfind("flows", 0) == 0 || name.rfind("supervised", 0) == 0) {
      CompareFlows(bubble, name, there->second, now_ms, differences);
      continue;
    }
    const auto expected = wanted.find(name);
    const std::set<std::string> none;
    const std::set<std::string>& those = expected == wanted.end() ? none : expected->second;
    for (const auto& [element, figures] : there->second.elements) {
      if (!those.contains(element))
        differences.push_back("set " + name + " has " + element + ", which was never admitted");
    }
    for (const std::string& element : those) {
      if (!there->second.elements.contains(element)) differences.push_back("set " + name + " lacks " + element);
    }
  }
  for (const auto& [name, set] : table.sets) {
    if (!rules.contains(name)) differences.push_back("set " + name + " is not ours");
  }
}

}  // namespace

bool Table::Sealed() const {
  const auto found = sets.find("sealed");
  return found != sets.end() && !found->second.elements.empty();
}

bool Table::Has(const std::string& set, const std::string& element) const {
  const auto found = sets.find(set);
  return found != sets.end() && found->second.elements.contains(element);
}

Elements Table::Present(const Elements& wanted) const {
  Elements present;
  for (const auto& [set, those] : wanted) {
    for (const std::string& element : those) {
      if (Has(set, element)) present[set].insert(element);
    }
  }
  return present;
}

int64_t Table::Packets(const std::string& counter) const {
  const auto found = counters.find(counter);
  return found == counters.end() ? 0 : found->second.packets;
}

Table TableFrom(const std::string& json) {
  Table table;
  for (const Json& object : Objects(json)) {
    if (!object.is_object() || object.size() != 1) continue;
    const std::string& kind = object.begin().key();
    const Json& value = *object.begin();
    if (kind == "table") {
      table.flags = Words(value.value("flags", Json::array()));
    } else if (kind == "chain") {
      auto& lines = table.chains[value.value("name", "")];
      if (value.contains("hook")) lines.insert(lines.begin(), ChainHead(value));
    } else if (kind == "rule") {
      table.chains[value.value("chain", "")].push_back(RuleText(value.value("expr", Json::array())));
    } else if (kind == "set") {
      table.sets[value.value("name", "")] = SetFrom(value);
    } else if (kind == "counter") {
      table.counters[value.value("name", "")] = {value.value("packets", int64_t{0}), value.value("bytes", int64_t{0})};
    } else if (kind != "metainfo") {
      table.others.push_back(kind + " " + value.value("name", ""));
    }
  }
  return table;
}

std::vector<std::string> Differences(const Bubble& bubble, const Table& table, int64_t now_ms) {
  std::vector<std::string> differences;
  for (const std::string& flag : table.flags)
    differences.push_back("the table has a flag (nft shows \"" + flag + "\"): a dormant one refuses nothing");
  for (const std::string& other : table.others) differences.push_back(other + " is not ours");
  CompareChains(RulesOf(bubble.charter), table.chains, differences);
  CompareSets(table.Sealed() ? SealedForm(bubble) : bubble, table, now_ms, differences);
  for (const std::string& name : CounterNames()) {
    if (!table.counters.contains(name)) differences.push_back("counter " + name + " is missing");
  }
  for (const auto& [name, count] : table.counters) {
    const auto& ours = CounterNames();
    if (std::find(ours.begin(), ours.end(), name) == ours.end())
      differences.push_back("counter " + name + " is not ours");
  }
  return differences;
}

std::vector<std::string> WaysAround(const std::string& json) {
  std::vector<std::string> ways;
  for (const Json& object : Objects(json)) {
    if (!object.is_object() || object.size() != 1) continue;
    const std::string& kind = object.begin().key();
    const Json& value = *object.begin();
    const std::string where = value.value("family", "") + " " + value.value("table", "");
    if (kind == "flowtable") ways.push_back("flow table " + value.value("name", "") + " of table " + where);
    if (kind != "rule") continue;
    for (const Json& statement : value.value("expr", Json::array())) {
      for (const char* sends : {"fwd", "dup", "tproxy"}) {
        if (statement.is_object() && statement.contains(sends)) {
          ways.push_back(std::string("a rule with ") + sends + " in table " + where + ", chain " +
                         value.value("chain", ""));
        }
      }
    }
  }
  return ways;
}

}  // namespace reprise::bubble
