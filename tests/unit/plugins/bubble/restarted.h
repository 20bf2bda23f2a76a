// A bubble that a service keeps, and what a restart leaves of its gateway's network.
#pragma once

#include "tests/unit/plugins/bubble/site.h"
#include "tests/unit/plugins/own_services.h"

namespace reprise::bubble {

inline json KeptBubble() {
  json params = LabBubble();
  params["forwarding"] = "on";
  params["persist"] = true;
  return params;
}

inline const char* const kBoot = "/var/lib/reprise-plugins/bubble/lab.boot";

// No service of the bubble, no rules, no bolts, no forwarding: as a machine begins.
inline bool Restarted() {
  bool ok = Command({"sv", "-w", "20", "stop", "/etc/service/reprise-bubble-lab"}) && Nft({"flush", "ruleset"});
  for (const char* family : {"-4", "-6"}) {
    for (const char* place : {"11", "12", "13", "14"}) {
      while (Command({"ip", family, "rule", "del", "pref", place})) {
      }
    }
  }
  return ok && Command({"sysctl", "-q", "-w", "net.ipv4.ip_forward=0"}) &&
         Command({"sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=0"});
}

// Both sides try, so that the gateway has something to refuse.
inline void ProveBothSides(Site& site) {
  const Answer inside = site.On("inside", "prove_inside", InsideProof());
  EXPECT_TRUE(inside.holds()) << PrintToString(inside);
  const Answer outside = site.On("outside", "prove_outside", OutsideProof());
  EXPECT_TRUE(outside.holds()) << PrintToString(outside);
}

}  // namespace reprise::bubble
