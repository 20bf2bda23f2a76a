#include "plugins/bubble/bolt.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::Error;
using sdk::Json;

using Rules = std::vector<std::string>;

constexpr int64_t kLast = 14;
constexpr const char* kDrops = " blackhole";

const Rules& Common() {
  static const std::string mark = std::to_string(kMark);
  // Its end first: a rule that leads nowhere yet is passed over.
  static const Rules rules = {"pref 14 nop", "pref 11 fwmark " + mark + "/" + mark + " goto 14",
                              "pref 12 iif lo goto 14"};
  return rules;
}

bool Among(const Rules& rules, const std::string& rule) {
  return std::find(rules.begin(), rules.end(), rule) != rules.end();
}

bool MayBeOurs(const std::string& rule) {
  return Among(Common(), rule) || (rule.rfind("pref 13 ", 0) == 0 && rule.ends_with(kDrops));
}

int64_t Place(const std::string& rule) {
  return std::strtoll(rule.c_str() + std::string("pref ").size(), nullptr, 10);
}

const char* Family(bool ipv6) {
  return ipv6 ? "-6" : "-4";
}

Rules There(const sdk::Context& context, bool ipv6) {
  const sdk::RunResult shown = sdk::Run(context, {"ip", Family(ipv6), "-j", "rule", "show"});
  if (!shown.ok()) throw Error("ip_failed", "ip rule show: " + shown.Why(), "does this kernel have policy routing?");
  return RoutingRules(shown.out, ipv6);
}

// "0x40000000" as a number; anything else as it is.
std::string Number(const Json& value) {
  if (!value.is_string()) return value.dump();
  const std::string text = value;
  if (text.rfind("0x", 0) != 0 || text.size() > 10) return text;
  return std::to_string(std::stoul(text, nullptr, 16));
}

std::string RuleText(const Json& rule, bool ipv6) {
  Json left = rule;
  const auto take = [&](const char* key) {
    const Json value = left.value(key, Json());
    left.erase(key);
    return value;
  };
  const std::string place = "pref " + take("priority").dump();
  std::string text = place;
  if (left.value("src", "") == "all") left.erase("src");
  take("iif_detached");  // The interface is not there yet.
  take("unresolved");    // Nor is the rule to go on to.
  if (left.contains("dst")) {
    const std::string address = take("dst");
    text += " to " + address + "/" + (left.contains("dstlen") ? take("dstlen").dump() : ipv6 ? "128" : "32");
  }
  if (left.contains("iif")) text += " iif " + take("iif").get<std::string>();
  if (left.contains("fwmark") && left.contains("fwmask")) {
    text += " fwmark " + Number(take("fwmark"));
    text += "/" + Number(take("fwmask"));
  }
  if (left.contains("goto")) text += " goto " + take("goto").dump();
  if (left.contains("nop")) text += take("nop").is_null() ? " nop" : " nop?";
  if (left.contains("action")) text += " " + take("action").get<std::string>();
  if (left.contains("table")) text += " lookup " + take("table").get<std::string>();
  return left.empty() ? text : place + " " + rule.dump();
}

void Batch(const sdk::Context& context, bool ipv6, const std::string& lines) {
  const auto file = context.work_dir() / "routing";
  sdk::WriteFileAtomically(file, lines, 0600);
  const sdk::RunResult done = sdk::Run(context, {"ip", Family(ipv6), "-batch", file.string()});
  if (!done.ok()) throw Error("ip_failed", "ip rule: " + done.Why(), "does this kernel have policy routing?");
}

}  // namespace

std::vector<std::string> BoltOf(const std::vector<Charter>& charters, bool ipv6) {
  if (charters.empty()) return {};
  Rules rules = Common();
  for (const Charter& charter : charters) {
    for (const std::string& interface : charter.interfaces) rules.push_back("pref 13 iif " + interface + kDrops);
    for (const Subnet& subnet : charter.subnets) {
      if (subnet.ipv6 == ipv6) rules.push_back("pref 13 to " + subnet.text + kDrops);
    }
  }
  return rules;
}

std::string BoltBatch(const Charter& charter, bool ipv6) {
  std::string lines;
  for (const std::string& rule : BoltOf({charter}, ipv6)) lines += "rule add " + rule + "\n";
  return lines;
}

std::vector<std::string> RoutingRules(const std::string& json, bool ipv6) try {
  Rules rules;
  for (const Json& rule : Json::parse(json)) rules.push_back(RuleText(rule, ipv6));
  return rules;
} catch (const Json::exception& broken) {
  throw Error("ip_unreadable", std::string("ip -j rule show gives no JSON that is understood: ") + broken.what());
}

std::vector<std::string> Leftover(const std::vector<std::string>& wanted, const std::vector<std::string>& there) {
  Rules left;
  for (const std::string& rule : there) {
    if (MayBeOurs(rule) && !Among(wanted, rule)) left.push_back(rule);
  }
  return left;
}

std::vector<bool> Families() {
  std::error_code error;
  if (std::filesystem::exists("/proc/sys/net/ipv6", error)) return {false, true};
  return {false};
}

std::vector<std::string> LooseBolts(const sdk::Context& context, const std::vector<Charter>& charters) {
  std::vector<std::string> loose;
  for (const bool ipv6 : Families()) {
    const Rules wanted = BoltOf(charters, ipv6), there = There(context, ipv6);
    const std::string family = ipv6 ? "IPv6" : "IPv4";
    for (const std::string& rule : wanted) {
      if (!Among(there, rule)) loose.push_back(family + " routing lacks the rule \"" + rule + "\"");
    }
    for (const std::string& rule : Leftover(wanted, there))
      loose.push_back(family + " routing has the rule \"" + rule + "\", which no bubble wants");
    for (const std::string& rule : there) {
      // The kernel's own first rule leads to the gateway itself.
      if (rule == "pref 0 lookup local" || Among(wanted, rule) || MayBeOurs(rule)) continue;
      if (!wanted.empty() && Place(rule) <= kLast)
        loose.push_back(family + " routing has the rule \"" + rule + "\" before the bubble's");
    }
  }
  return loose;
}

bool HasLeftover(const sdk::Context& context, const std::vector<Charter>& charters) {
  const auto families = Families();
  return std::any_of(families.begin(), families.end(),
                     [&](bool ipv6) { return !Leftover(BoltOf(charters, ipv6), There(context, ipv6)).empty(); });
}

void SetBolts(const sdk::Context& context, const std::vector<Charter>& charters) {
  for (const bool ipv6 : Families()) {
    const Rules wanted = BoltOf(charters, ipv6), there = There(context, ipv6);
    std::string lines;
    for (const std::string& rule : wanted) {
      if (!Among(there, rule)) lines += "rule add " + rule + "\n";
    }
    Rules left = Leftover(wanted, there);
    // What drops first: without the other two it would drop what is marked.
    std::stable_partition(left.begin(), left.end(), [](const std::string& rule) { return rule.ends_with(kDrops); });
    for (const std::string& rule : left) lines += "rule del " + rule + "\n";
    if (!lines.empty()) Batch(context, ipv6, lines);
  }
}

}  // namespace reprise::bubble
