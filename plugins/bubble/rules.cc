#include "plugins/bubble/rules.h"

#include <algorithm>

#include "plugins/bubble/bolt.h"

namespace reprise::bubble {
namespace {

// Evidence that a kind of packet was refused lately is kept so long.
constexpr int64_t kSeenSeconds = 3600;
// Both directions of a connection, and the ICMP errors about it, carry the way in which it was opened: so an element
// that is gone ends what runs, too. ct protocol is the connection's, also for an ICMP error about it.
constexpr const char* kWay4 =
    "meta l4proto { icmp, tcp, udp } ct original ip saddr . ct original ip daddr . ct protocol . ct original proto-dst "
    "@";
constexpr const char* kWay6 =
    "meta l4proto { ipv6-icmp, tcp, udp } ct original ip6 saddr . ct original ip6 daddr . ct protocol . ct original "
    "proto-dst @";

std::string Braced(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
  return words.size() == 1 ? text : "{ " + text + " }";
}

using Lines = std::vector<std::string>;

Lines Bound(const std::string& refuse) {
  return {"ip saddr @bound4 ip saddr . ether saddr != @macs4 goto " + refuse,
          "ip6 saddr @bound6 ip6 saddr . ether saddr != @macs6 goto " + refuse};
}

Lines Allowed(const Charter& charter) {
  Lines lines = {"ct status dnat return", "ct state invalid,untracked return"};
  const auto add = [&](const char* before, const std::string& stem, const std::string& then) {
    lines.push_back(before + (kWay4 + stem) + "4 " + then);
    lines.push_back(before + (kWay6 + stem) + "6 " + then);
  };
  add("", "management", "counter name passed_management accept");
  lines.push_back("meta nfproto @sealed return");
  if (charter.posts_max > 0) {
    const std::string ip = charter.posts_ipv6 ? "ip6" : "ip";
    lines.push_back("ct original " + ip + " saddr @posts " + (charter.posts_ipv6 ? kWay6 : kWay4) +
                    "post_flows counter name passed_posts accept");
  }
  add("ct state new ", "supervised",
      "counter name supervised limit rate 10/second burst 20 packets log prefix \"reprise-bubble " + charter.bubble +
          " supervised: \"");
  add("", "flows", "counter name passed_flows accept");
  return lines;
}

Lines Refuse(const std::string& side) {
  const std::string kind = " { meta nfproto . meta l4proto }";
  return {"counter name refused_" + side, "update @seen_" + side + kind,
          "meta l4proto { tcp, udp } th dport 53 update @seen_dns_" + side + kind, "drop"};
}

Lines operator+(Lines one, const Lines& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

std::string ElementLine(const std::string& verb, const Charter& charter, const std::string& set,
                        const std::string& element) {
  return verb + " element inet " + TableName(charter.bubble) + " " + set + " { " + element + " }\n";
}

void Bind(const Member& host, Elements& elements) {
  if (host.mac.empty()) return;
  elements[SetFor("bound", host.address.ipv6)].insert(host.address.text);
  elements[SetFor("macs", host.address.ipv6)].insert(host.address.text + " . " + host.mac);
}

std::string Seconds(int64_t ms) {
  return std::to_string((ms + 999) / 1000) + "s";
}

std::string AddFlows(const Bubble& bubble, int64_t now_ms) {
  std::string text;
  for (const Flow& flow : bubble.flows) {
    if (flow.RunsAt(now_ms)) text += AddFlow(bubble.charter, flow, now_ms);
  }
  return text;
}

std::string Text(const Bubble& bubble, const Elements& elements, const std::map<std::string, Count>& counted) {
  const std::string table = "table inet " + TableName(bubble.charter.bubble);
  // Named once so that it is there to be deleted: one transaction, whether it was there or not.
  std::string text = table + "\ndelete " + table + "\n" + table + " {\n";
  for (const std::string& name : CounterNames()) {
    const auto found = counted.find(name);
    const Count count = found == counted.end() ? Count() : found->second;
    text += "  counter " + name + " { packets " + std::to_string(count.packets) + " bytes " +
            std::to_string(count.bytes) + " }\n";
  }
  for (const auto& [name, rule] : SetsOf(bubble.charter)) {
    std::string type, flags = rule.grows ? "dynamic" : "", list;
    for (const std::string& word : rule.type) type += (type.empty() ? "" : " . ") + word;
    for (const std::string& word : rule.flags) flags += (flags.empty() ? "" : ",") + word;
    text += "  set " + name + " { type " + type + ";";
    if (rule.size > 0) text += " size " + std::to_string(rule.size) + ";";
    if (!flags.empty()) text += " flags " + flags + ";";
    if (rule.timeout_s > 0) text += " timeout " + std::to_string(rule.timeout_s) + "s;";
    if (rule.counts) text += " counter;";
    if (const auto found = elements.find(name); found != elements.end()) {
      for (const std::string& element : found->second) list += (list.empty() ? "" : ", ") + element;
      text += " elements = { " + list + " };";
    }
    text += " }\n";
  }
  for (const auto& [chain, lines] : RulesOf(bubble.charter)) {
    text += "  chain " + chain + " {\n";
    for (std::string line : lines) {
      if (const size_t policy = line.find(" policy "); line.rfind("type ", 0) == 0)
        line.replace(policy, 1, "; ").append(";");
      text += "    " + line + "\n";
    }
    text += "  }\n";
  }
  text += "}\n";
  return text;
}

}  // namespace

std::string TableName(const std::string& bubble) {
  return "reprise_bubble_" + bubble;
}

std::string SetFor(const char* stem, bool ipv6) {
  return std::string(stem) + (ipv6 ? "6" : "4");
}

std::string Tuple(const Address& from, const Service& to) {
  return from.text + " . " + to.address.text + " . " + to.protocol + " . " + std::to_string(to.port);
}

Chains RulesOf(const Charter& charter) {
  const std::string inside = Braced(charter.interfaces);
  const Lines strays = {"ip saddr @inside4 goto ", "ip daddr @inside4 goto ", "ip6 saddr @inside6 goto ",
                        "ip6 daddr @inside6 goto "};
  const auto to = [](Lines lines, const char* chain) {
    for (std::string& line : lines) line += chain;
    return lines;
  };
  Lines among;
  if (charter.among_members) {
    among = {"oifname " + inside + " ip saddr @members4 ip daddr @members4 accept",
             "oifname " + inside + " ip6 saddr @members6 ip6 daddr @members6 accept"};
  }
  const Lines echo = {"icmp type echo-request limit rate 20/second burst 20 packets accept",
                      "icmpv6 type echo-request limit rate 20/second burst 20 packets accept"};
  // A source that cannot be inside: whatever answered it, an echo's reply or an error that the kernel makes before it forwards, would
  // carry what it was sent to that address outside. So it gets as far as the cable's own questions (neighbours), and no further.
  const Lines forged = {"iifname " + inside + " ip saddr != @inside4 goto refuse_out",
                        "iifname " + inside + " ip6 saddr != @inside6 ip6 saddr != fe80::/10 ip6 saddr != :: goto refuse_out"};
  const std::string mark = "meta mark set meta mark | " + std::to_string(kMark);
  return {// What these rules will look at: without the mark, routing has no way for it. See bolt.h.
          {"marks",
           Lines{"type filter hook prerouting priority -140 policy accept"} + forged +
               Lines{"iifname " + inside + " " + mark, "ip daddr @inside4 " + mark, "ip6 daddr @inside6 " + mark}},
          // Through the gateway. Whatever is left without a verdict, whoever took the rules away, is dropped.
          {"forward", Lines{"type filter hook forward priority -50 policy drop",
                            "iifname " + inside + " goto from_inside", "oifname " + inside + " goto to_inside"} +
                          to(strays, "refuse_in") + Lines{"accept"}},
          {"from_inside", Bound("refuse_out") + among + Lines{"jump allowed", "goto refuse_out"}},
          {"to_inside", Bound("refuse_in") + Lines{"jump allowed", "goto refuse_in"}},
          {"allowed", Allowed(charter)},
          {"refuse_in", Refuse("in")},
          {"refuse_out", Refuse("out")},
          // To and from the gateway itself, which is a way out like any other. It answers echoes, so that there is
          // always something
          // alive to ask.
          {"input", Lines{"type filter hook input priority -50 policy accept", "iifname \"lo\" accept",
                          "iifname " + inside + " goto gateway_in"} +
                        to(strays, "refuse_gateway")},
          {"gateway_in", Lines{"icmpv6 type { nd-neighbor-advert, nd-neighbor-solicit, nd-router-solicit } accept"} +
                             echo + Lines{"jump allowed", "goto refuse_gateway"}},
          {"output", Lines{"type filter hook output priority -50 policy accept", "oifname \"lo\" accept",
                           "oifname " + inside + " goto gateway_out", "ip daddr @inside4 goto refuse_gateway",
                           "ip6 daddr @inside6 goto refuse_gateway",
                           // About a hop-by-hop option: said before any rule has seen the packet, whatever source it had.
                           "icmpv6 type parameter-problem goto refuse_gateway"}},
          {"gateway_out",
           {"icmpv6 type { mld2-listener-report, nd-neighbor-advert, nd-neighbor-solicit, nd-router-advert } accept",
            "icmp type echo-reply accept", "icmpv6 type echo-reply accept", "jump allowed", "goto refuse_gateway"}},
          {"refuse_gateway", {"counter name refused_gateway", "drop"}}};
}

std::map<std::string, SetRule> SetsOf(const Charter& charter) {
  std::map<std::string, SetRule> sets;
  for (const bool ipv6 : {false, true}) {
    const std::string address = ipv6 ? "ipv6_addr" : "ipv4_addr";
    const std::vector<std::string> way = {address, address, "inet_proto", "inet_service"};
    sets[SetFor("inside", ipv6)] = {.type = {address}, .flags = {"interval"}};
    sets[SetFor("members", ipv6)] = {.type = {address}};
    sets[SetFor("bound", ipv6)] = {.type = {address}};
    sets[SetFor("macs", ipv6)] = {.type = {address, "ether_addr"}};
    sets[SetFor("management", ipv6)] = {.type = way};
    sets[SetFor("flows", ipv6)] = {.type = way, .flags = {"timeout"}, .counts = true};
    sets[SetFor("supervised", ipv6)] = {.type = way, .flags = {"timeout"}};
    if (charter.posts_max > 0 && ipv6 == charter.posts_ipv6) {
      sets["posts"] = {.type = {address}, .size = charter.posts_max};
      sets["post_flows"] = {.type = way};
    }
  }
  sets["sealed"] = {.type = {"nf_proto"}};
  for (const char* name : {"seen_in", "seen_out", "seen_dns_in", "seen_dns_out"}) {
    sets[name] = {.type = {"nf_proto", "inet_proto"},
                  .flags = {"timeout"},
                  .size = 1024,
                  .timeout_s = kSeenSeconds,
                  .grows = true};
  }
  return sets;
}

const std::vector<std::string>& CounterNames() {
  static const std::vector<std::string> names = {"refused_in",   "refused_out",  "refused_gateway", "passed_management",
                                                 "passed_posts", "passed_flows", "supervised"};
  return names;
}

Elements ElementsOf(const Bubble& bubble) {
  const Charter& charter = bubble.charter;
  Elements elements;
  for (const Subnet& subnet : charter.subnets) elements[SetFor("inside", subnet.ipv6)].insert(subnet.text);
  for (const Member& member : charter.members) {
    elements[SetFor("members", member.address.ipv6)].insert(member.address.text);
    Bind(member, elements);
    for (const Service& service : charter.management) {
      if (service.address.ipv6 != member.address.ipv6) continue;
      elements[SetFor("management", member.address.ipv6)].insert(Tuple(member.address, service));
    }
  }
  for (const Post& post : bubble.posts) {
    for (auto& [set, those] : ElementsOf(post)) elements[set].merge(those);
  }
  return elements;
}

Elements ElementsOf(const Post& post) {
  Elements elements = {{"posts", {post.host.address.text}}};
  Bind(post.host, elements);
  for (const Service& service : post.applications) elements["post_flows"].insert(Tuple(post.host.address, service));
  return elements;
}

Elements ElementsOf(const Flow& flow) {
  const std::string way = Tuple(flow.from, flow.to);
  return {{SetFor("flows", flow.from.ipv6), {way}}, {SetFor("supervised", flow.from.ipv6), {way}}};
}

const std::set<std::string>& SealedElements() {
  static const std::set<std::string> both = {"ipv4", "ipv6"};
  return both;
}

std::string TableText(const Bubble& bubble, const std::map<std::string, Count>& counted, int64_t now_ms) {
  return Text(bubble, ElementsOf(bubble), counted) + AddFlows(bubble, now_ms);
}

std::string SealedText(const Bubble& bubble, const std::map<std::string, Count>& counted) {
  Elements elements = ElementsOf(SealedForm(bubble));
  elements["sealed"] = SealedElements();
  return Text(bubble, elements, counted);
}

std::string UnsealText(const Bubble& bubble, int64_t now_ms) {
  std::string text = "flush set inet " + TableName(bubble.charter.bubble) + " sealed\n";
  for (const Post& post : bubble.posts) text += AddElements(bubble.charter, ElementsOf(post));
  return text + AddFlows(bubble, now_ms);
}

std::string AddElements(const Charter& charter, const Elements& elements) {
  std::string text;
  for (const auto& [set, those] : elements) {
    for (const std::string& element : those) text += ElementLine("add", charter, set, element);
  }
  return text;
}

std::string DeleteElements(const Charter& charter, const Elements& elements) {
  std::string text;
  for (const auto& [set, those] : elements) {
    for (const std::string& element : those) text += ElementLine("delete", charter, set, element);
  }
  return text;
}

std::string AddFlow(const Charter& charter, const Flow& flow, int64_t now_ms) {
  std::string text;
  const auto add = [&](const char* stem, int64_t until_ms) {
    if (until_ms <= now_ms) return;
    const std::string set = SetFor(stem, flow.from.ipv6), element = Tuple(flow.from, flow.to);
    text += ElementLine("add", charter, set, element + " timeout " + Seconds(until_ms - now_ms));
  };
  add("flows", flow.until_ms);
  add("supervised", flow.supervised_until_ms);
  return text;
}

}  // namespace reprise::bubble
