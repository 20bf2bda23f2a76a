#include "plugins/bubble/state.h"

#include <algorithm>

namespace reprise::bubble {
namespace {

using sdk::Error;
using sdk::Json;

template <typename T, typename Parse>
std::vector<T> Parsed(const Json& texts, const std::string& parameter, Parse parse) {
  std::vector<T> values;
  for (const Json& text : texts) {
    T value = parse(text.get<std::string>(), parameter);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
  }
  return values;
}

template <typename T, typename Show>
Json Texts(const std::vector<T>& values, Show show) {
  Json texts = Json::array();
  for (const T& value : values) texts.push_back(show(value));
  return texts;
}

const auto kShown = [](const auto& value) { return value.Shown(); };

[[noreturn]] void Refuse(const std::string& message, const std::string& hint = "") {
  throw Error("bad_params", message, hint);
}

std::string ParseInterface(const std::string& text, const std::string& parameter) {
  if (!sdk::IsName(text) || text.size() > 15 || text == "lo" || text.find(':') != std::string::npos) {
    Refuse("parameter " + parameter + " has \"" + text.substr(0, 40) +
           "\", expected the name of an interface such as eth1");
  }
  return text;
}

// What does not fit together is refused before anything is made of it.
void CheckWhole(const Charter& charter) {
  if (charter.interfaces.empty()) Refuse("parameter interfaces is empty: which of the gateway's leads inside?");
  if (charter.subnets.empty()) Refuse("parameter subnets is empty: which addresses are inside?");
  if (charter.members.empty()) Refuse("parameter members is empty: a bubble has at least one member");
  for (const Member& member : charter.members) {
    if (charter.SubnetOf(member.address) == nullptr)
      Refuse("member " + member.Shown() + " is in none of the subnets", "add its network, or mend its address");
    for (const Subnet& subnet : charter.subnets) {
      if (!subnet.NamesNoHost(member.address)) continue;
      Refuse("member " + member.Shown() + " is the network or broadcast address of subnet " + subnet.text +
                 ", expected the address of one host",
             "mend its address, or the length of its network");
    }
  }
  for (const Service& service : charter.management) {
    if (charter.SubnetOf(service.address) != nullptr) Refuse("management flow " + service.Shown() + " leads to an address inside", "it is reached already");
  }
  for (size_t i = 1; i < charter.members.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (charter.members[i].address == charter.members[j].address) {
        Refuse("member " + charter.members[i].address.text + " is named twice, with different hardware addresses");
      }
    }
  }
}

Charter CharterFromJson(const Json& json) {
  Charter charter;
  charter.bubble = json.at("bubble");
  charter.interfaces = Parsed<std::string>(json.at("interfaces"), "interfaces", ParseInterface);
  charter.subnets = Parsed<Subnet>(json.at("subnets"), "subnets", ParseSubnet);
  charter.members = Parsed<Member>(json.at("members"), "members", ParseMember);
  charter.management = Parsed<Service>(json.at("management"), "management", ParseService);
  charter.among_members = json.at("among_members");
  charter.posts_max = json.at("posts_max");
  charter.posts_ipv6 = json.at("posts_family") == "ipv6";
  charter.persist = json.at("persist");
  charter.turns_forwarding_on = json.at("forwarding") == "on";
  return charter;
}

void CheckName(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 32 && name[0] != '-' &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!plain)
    Refuse("parameter bubble is \"" + name.substr(0, 40) + "\", expected small letters, digits and -, at most 32");
}

}  // namespace

bool Charter::HasIpv6() const {
  return std::any_of(members.begin(), members.end(), [](const Member& member) { return member.address.ipv6; });
}

bool Charter::HasMember(const Address& address) const {
  return std::any_of(members.begin(), members.end(), [&](const Member& member) { return member.address == address; });
}

const Subnet* Charter::SubnetOf(const Address& address) const {
  const auto found = std::find_if(subnets.begin(), subnets.end(), [&](const Subnet& subnet) { return subnet.Contains(address); });
  return found == subnets.end() ? nullptr : &*found;
}

std::string Flow::Shown() const {
  return from.text + " -> " + to.Shown();
}

Bubble SealedForm(const Bubble& bubble) {
  Bubble sealed = bubble;
  sealed.posts.clear();
  sealed.flows.clear();
  return sealed;
}

std::string BubbleName(const sdk::Context& context) {
  const std::string name = context.Param("bubble");
  CheckName(name);
  return name;
}

Charter CharterFrom(const sdk::Context& context) {
  BubbleName(context);
  Charter charter = CharterFromJson(context.params());
  CheckWhole(charter);
  if (charter.turns_forwarding_on && !charter.persist) {
    Refuse(
        "parameter forwarding is on and persist is false: the boot hook is what turns forwarding on, after the rules",
        "with persist: false write forwarding: keep");
  }
  // One order, so that the same charter is the same text.
  std::sort(charter.interfaces.begin(), charter.interfaces.end());
  return charter;
}

Json ToJson(const Charter& charter) {
  return {{"bubble", charter.bubble},
          {"interfaces", charter.interfaces},
          {"subnets", Texts(charter.subnets, [](const Subnet& subnet) { return subnet.text; })},
          {"members", Texts(charter.members, kShown)},
          {"management", Texts(charter.management, kShown)},
          {"among_members", charter.among_members},
          {"posts_max", charter.posts_max},
          {"posts_family", charter.posts_ipv6 ? "ipv6" : "ipv4"},
          {"persist", charter.persist},
          {"forwarding", charter.turns_forwarding_on ? "on" : "keep"}};
}

Json ToJson(const Bubble& bubble) {
  Json json = {{"charter", ToJson(bubble.charter)},
               {"forwarded", {{"ipv4", bubble.forwarded_ipv4}, {"ipv6", bubble.forwarded_ipv6}}},
               {"posts", Json::array()},
               {"flows", Json::array()}};
  for (const Post& post : bubble.posts) {
    json["posts"].push_back(
        {{"name", post.name}, {"host", post.host.Shown()}, {"applications", Texts(post.applications, kShown)}});
  }
  for (const Flow& flow : bubble.flows) {
    json["flows"].push_back({{"from", flow.from.text},
                             {"to", flow.to.Shown()},
                             {"decision", flow.decision},
                             {"opened_ms", flow.opened_ms},
                             {"until_ms", flow.until_ms},
                             {"supervised_until_ms", flow.supervised_until_ms},
                             {"closed_ms", flow.closed_ms}});
  }
  return json;
}

Bubble BubbleFromJson(const Json& json) try {
  Bubble bubble;
  bubble.charter = CharterFromJson(json.at("charter"));
  CheckName(bubble.charter.bubble);
  bubble.forwarded_ipv4 = json.at("forwarded").at("ipv4");
  bubble.forwarded_ipv6 = json.at("forwarded").at("ipv6");
  for (const Json& post : json.at("posts")) {
    bubble.posts.push_back({post.at("name"), ParseMember(post.at("host"), "host"),
                            Parsed<Service>(post.at("applications"), "applications", ParseService)});
  }
  for (const Json& flow : json.at("flows")) {
    bubble.flows.push_back({ParseAddress(flow.at("from"), "from"), ParseService(flow.at("to"), "to"),
                            flow.at("decision"), flow.at("opened_ms"), flow.at("until_ms"),
                            flow.at("supervised_until_ms"), flow.at("closed_ms")});
  }
  return bubble;
} catch (const Json::exception& broken) {
  throw Error("notes_broken", std::string("what the gateway noted of this bubble cannot be read: ") + broken.what(),
              "destroy the bubble with bubble.destroy and make it again");
}

std::string Named(const std::vector<Post>& posts) {
  std::string text;
  for (const Post& post : posts) text += (text.empty() ? "" : ", ") + post.name + " (" + post.host.address.text + ")";
  return text.empty() ? "none" : text;
}

}  // namespace reprise::bubble
