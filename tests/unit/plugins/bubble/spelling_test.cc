// What the planner refuses before anybody signs: parameters that no gateway and no prover would take.
#include <gmock/gmock.h>

#include <regex>

#include "plugins/bubble/flow.h"
#include "plugins/bubble/gateway.h"
#include "plugins/bubble/post.h"
#include "plugins/bubble/prove_side.h"
#include "plugins/bubble/target.h"
#include "plugins/sdk/error.h"

namespace reprise::bubble {
namespace {

using sdk::Json;

// By the pattern that the plan's check sees.
bool Plans(const sdk::Action& action, const std::string& parameter, const std::string& value) {
  const Json schema = action.Describe().params.Schema().at("properties").at(parameter);
  const Json& text = schema.at("type") == "array" ? schema.at("items") : schema;
  return std::regex_search(value, std::regex(text.at("pattern").get<std::string>()));
}

TEST(Spelling, OfAddressesNetworksAndServicesIsHeldByThePlan) {
  const Gateway gateway;
  const AdmitPost admit;
  const OpenFlow flow;
  const auto expect = [](const sdk::Action& action, const char* parameter, std::initializer_list<const char*> right,
                         std::initializer_list<const char*> wrong) {
    for (const char* value : right) EXPECT_TRUE(Plans(action, parameter, value)) << parameter << " " << value;
    for (const char* value : wrong) EXPECT_FALSE(Plans(action, parameter, value)) << parameter << " " << value;
  };
  expect(gateway, "subnets", {"10.20.0.0/24", "fd00:20::/64"}, {"10.20.0.0", "10.20.300.0/24", "inside"});
  expect(gateway, "members", {"10.20.0.2", "10.20.0.2@02:00:00:00:00:01", "fd00:20::2"}, {"999.1.1.1", "10.20.0.2@", "srv-1"});
  expect(gateway, "management", {"tcp:10.1.0.2:7443", "tcp:[fd00:1::2]:7443"}, {"10.1.0.2:7443", "tcp:10.1.0.2", "icmp:10.1.0.2"});
  expect(admit, "address", {"10.1.0.11", "fd00:1::11"}, {"999.1.1.1", "10.1.0.11/32", "ws-101", ""});
  expect(admit, "applications", {"tcp:10.20.0.2:5432", "udp:10.20.0.2:53"}, {"10.20.0.2:5432", "tcp:10.20.0.2:99999"});
  expect(admit, "mac", {"02:00:00:00:00:99"}, {"02-00-00-00-00-99", "02:00:00:00:00"});
  expect(flow, "from", {"10.20.0.2"}, {"10.20.0.0/24", "10.20.0"});
}

TEST(Spelling, OfTargetsIsHeldByThePlanAndLetsNothingSoundBeRefused) {
  const ProveInside inside;
  const ProveOutside outside;
  for (const sdk::Action* action : {static_cast<const sdk::Action*>(&inside), static_cast<const sdk::Action*>(&outside)}) {
    for (const char* parameter : {"targets", "controls"}) {
      for (const char* right : {"tcp:10.1.0.9:443", "udp:[fd00:1::9]:514", "icmp:10.1.0.9", "icmp:fd00:1::9", "dns:[fd00:1::9]", "dns:10.1.0.53"}) {
        EXPECT_TRUE(Plans(*action, parameter, right)) << right;
        EXPECT_NO_THROW(ParseTarget(right, parameter)) << right;
      }
      for (const char* wrong : {"10.1.0.9", "tcp:10.1.0.9", "tcp:10.1.0.256:443", "http:10.1.0.9:80", "tcp:www:80", "icmp:10.1.0.9 -f", "dns:", "icmp:10.1.0.9:53"}) {
        EXPECT_FALSE(Plans(*action, parameter, wrong)) << wrong;
        EXPECT_THROW(ParseTarget(wrong, parameter), sdk::Error) << wrong;
      }
    }
  }
}

}  // namespace
}  // namespace reprise::bubble
