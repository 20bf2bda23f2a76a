#include "plugins/bubble/statement.h"

#include <algorithm>
#include <vector>

namespace reprise::bubble {
namespace {

using sdk::Json;

std::string Side(const Json& side, bool quoted);

std::string Joined(const Json& list, const char* between, bool sorted, bool quoted) {
  std::vector<std::string> words;
  for (const Json& item : list) words.push_back(Side(item, quoted));
  if (sorted) std::sort(words.begin(), words.end());
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string Ct(const Json& value) {
  if (!value.contains("key") || value.size() != (value.contains("dir") ? 2u : 1u)) return Json{{"ct", value}}.dump();
  return "ct " + (value.contains("dir") ? value.value("dir", "?") + " " : std::string()) + value.value("key", "?");
}

// iifname and oifname have names on their other side, which nft writes in quotes; and no "meta" before them.
bool IsInterface(const Json& side) {
  return side.is_object() && side.contains("meta") &&
         (side["meta"] == Json{{"key", "iifname"}} || side["meta"] == Json{{"key", "oifname"}});
}

std::string Side(const Json& side, bool quoted) {
  if (side.is_string()) return quoted ? "\"" + side.get<std::string>() + "\"" : side.get<std::string>();
  if (side.is_number_integer()) return side.dump();
  if (side.is_array()) return Joined(side, ",", true, quoted);
  if (!side.is_object() || side.size() != 1) return side.dump();
  const std::string& kind = side.begin().key();
  const Json& value = *side.begin();
  if (IsInterface(side)) return value["key"];
  if (kind == "meta" && value.is_object() && value.size() == 1) return "meta " + value.value("key", "?");
  if (kind == "payload" && value.is_object() && value.size() == 2) {
    return value.value("protocol", "?") + " " + value.value("field", "?");
  }
  if (kind == "ct" && value.is_object()) return Ct(value);
  if (kind == "concat" && value.is_array()) return Joined(value, " . ", false, quoted);
  if (kind == "|" && value.is_array()) return Joined(value, " | ", false, quoted);
  if (kind == "set" && value.is_array()) return "{ " + Joined(value, ", ", true, quoted) + " }";
  if (kind == "prefix" && value.is_object())
    return Side(value.value("addr", Json()), false) + "/" + value.value("len", Json()).dump();
  return side.dump();
}

std::string Limit(const Json& value) {
  if (value.size() != 3 || !value.contains("rate") || !value.contains("burst")) return Json{{"limit", value}}.dump();
  return "limit rate " + value["rate"].dump() + "/" + value.value("per", "?") + " burst " + value["burst"].dump() +
         " packets";
}

std::string Statement(const Json& statement) {
  if (!statement.is_object() || statement.size() != 1) return statement.dump();
  const std::string& kind = statement.begin().key();
  const Json& value = *statement.begin();
  if (value.is_null()) return kind;  // accept, drop, return
  if (kind == "counter" && value.is_string()) return "counter name " + value.get<std::string>();
  if ((kind == "goto" || kind == "jump") && value.is_object()) return kind + " " + value.value("target", "?");
  if (kind == "limit" && value.is_object()) return Limit(value);
  if (kind == "log" && value.is_object() && value.size() == 1 && value.contains("prefix")) {
    return "log prefix \"" + value.value("prefix", "") + "\"";
  }
  if (kind == "mangle" && value.is_object() && value.size() == 2 && value.contains("key") && value.contains("value")) {
    return Side(value["key"], false) + " set " + Side(value["value"], false);
  }
  if (kind == "set" && value.is_object() && value.size() == 3) {
    return value.value("op", "?") + " " + value.value("set", "?") + " { " + Side(value.value("elem", Json()), false) +
           " }";
  }
  if (kind != "match" || !value.is_object() || !value.contains("left") || !value.contains("right"))
    return statement.dump();
  const std::string op = value.value("op", "?");
  return Side(value["left"], false) + (op == "==" || op == "in" ? " " : " " + op + " ") +
         Side(value["right"], IsInterface(value["left"]));
}

}  // namespace

std::string RuleText(const Json& expr) {
  std::string line;
  for (const Json& statement : expr) line += (line.empty() ? "" : " ") + Statement(statement);
  return line;
}

std::string ElementText(const Json& value) {
  return Side(value, false);
}

}  // namespace reprise::bubble
