// What a gateway knows of one bubble: what it was made with, who was admitted, what was opened. Kept on the gateway as
// JSON; the rules are made from it, so that they can be made again, and so that what is loaded can be told from what
// should be. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/bubble/address.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/results.h"

namespace reprise::bubble {

// What people ask for in bubble.gateway.
struct Charter {
  std::string bubble;                   // [a-z0-9-], at most 32.
  std::vector<std::string> interfaces;  // Of the gateway, towards the inside.
  std::vector<Subnet> subnets;
  std::vector<Member> members;
  std::vector<Service> management;  // What every member may open connections to.
  bool among_members = false;       // Members on different interfaces speak to each other through the gateway.
  int posts_max = 0;
  bool posts_ipv6 = false;
  bool persist = true;
  bool turns_forwarding_on = true;

  bool HasIpv6() const;
  bool HasMember(const Address& address) const;
  // The one that covers it; nullptr: it is outside.
  const Subnet* SubnetOf(const Address& address) const;
};

// A workstation outside that may use applications inside.
struct Post {
  std::string name;
  Member host;
  std::vector<Service> applications;

  bool operator==(const Post&) const = default;
};

// One way through, by decision, for a time. Times are the gateway's, in milliseconds since 1970.
struct Flow {
  Address from;
  Service to;
  std::string decision;
  int64_t opened_ms = 0;
  int64_t until_ms = 0;
  int64_t supervised_until_ms = 0;
  int64_t closed_ms = 0;  // By somebody, before its time; 0: not.

  bool RunsAt(int64_t now_ms) const { return closed_ms == 0 && now_ms < until_ms; }
  bool SameWay(const Flow& other) const { return from == other.from && to == other.to; }
  std::string Shown() const;
};

struct Bubble {
  Charter charter;
  // As they were before the first bubble of this gateway turned them on.
  bool forwarded_ipv4 = true;
  bool forwarded_ipv6 = true;
  std::vector<Post> posts;
  std::vector<Flow> flows;
};

// What of it may be loaded before a proof was taken anew: nobody is in, nothing is open.
Bubble SealedForm(const Bubble& bubble);

// Throws Error "bad_params" unless it passes: small letters, digits and -.
std::string BubbleName(const sdk::Context& context);

// From the parameters of bubble.gateway; throws Error "bad_params".
Charter CharterFrom(const sdk::Context& context);

sdk::Json ToJson(const Charter& charter);
sdk::Json ToJson(const Bubble& bubble);
// Throws Error "notes_broken".
Bubble BubbleFromJson(const sdk::Json& json);

inline bool SameCharter(const Charter& one, const Charter& other) {
  return ToJson(one) == ToJson(other);
}

// "ws-101 (10.1.0.11), ws-102 (10.1.0.12)"
std::string Named(const std::vector<Post>& posts);

}  // namespace reprise::bubble
