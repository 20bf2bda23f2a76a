#include "core/plan/waves.h"

#include <rapidcheck.h>

#include <numeric>

#include "tests/support/status_matchers.h"

namespace reprise::plan {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Amount Hosts(uint32_t count) {
  return {Amount::Kind::kHosts, count};
}
Amount Percent(uint32_t percent) {
  return {Amount::Kind::kPercent, percent};
}
constexpr Amount kRest;

std::vector<uint32_t> Sizes(std::optional<Amount> canary, std::vector<Amount> sizes, uint32_t hosts) {
  WavesSpec waves;
  waves.canary = canary;
  waves.sizes = std::move(sizes);
  auto made = WaveSizes(waves, hosts);
  EXPECT_OK(made);
  return made.ok() ? *made : std::vector<uint32_t>();
}

TEST(Waves, AreAllHostsAtOnceUnlessSaid) {
  EXPECT_THAT(Sizes(std::nullopt, {}, 7), ElementsAre(7));
  EXPECT_THAT(Sizes(std::nullopt, {}, 0), ElementsAre(0));
}

TEST(Waves, BeginWithTheCanary) {
  EXPECT_THAT(Sizes(Hosts(2), {}, 7), ElementsAre(2, 5));
  EXPECT_THAT(Sizes(Percent(1), {kRest}, 7), ElementsAre(1, 6));
  EXPECT_THAT(Sizes(Hosts(9), {Hosts(1)}, 7), ElementsAre(7));
}

TEST(Waves, TakePercentOfAllHostsRoundedUp) {
  EXPECT_THAT(Sizes(Hosts(1), {Percent(10), Percent(50), kRest}, 101), ElementsAre(1, 11, 51, 38));
  EXPECT_THAT(Sizes(std::nullopt, {Percent(1)}, 3), ElementsAre(1, 1, 1));
  EXPECT_THAT(Sizes(std::nullopt, {Percent(100)}, 3), ElementsAre(3));
}

TEST(Waves, RepeatTheLastSize) {
  EXPECT_THAT(Sizes(std::nullopt, {Hosts(1), Hosts(3)}, 9), ElementsAre(1, 3, 3, 2));
}

TEST(Waves, AreNotTooManyToLiveThrough) {
  WavesSpec waves;
  waves.sizes = {Hosts(1)};
  EXPECT_OK(WaveSizes(waves, kWavesMax));
  EXPECT_THAT(WaveSizes(waves, kWavesMax + 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 10000 waves")));
}

TEST(Waves, PlaceEveryHostInExactlyOne) {
  rc::check("sizes add up, and no wave is empty", [] {
    const auto hosts = *rc::gen::inRange<uint32_t>(1, 5000);
    const auto amount = [] {
      return *rc::gen::inRange(0, 2) == 0 ? Hosts(*rc::gen::inRange<uint32_t>(1, 2000))
                                          : Percent(*rc::gen::inRange<uint32_t>(1, 101));
    };
    WavesSpec waves;
    if (*rc::gen::arbitrary<bool>()) waves.canary = amount();
    const int count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) waves.sizes.push_back(amount());
    if (*rc::gen::arbitrary<bool>()) waves.sizes.push_back(kRest);
    const auto sizes = WaveSizes(waves, hosts);
    RC_ASSERT(sizes.ok());
    RC_ASSERT(std::accumulate(sizes->begin(), sizes->end(), uint64_t{0}) == hosts);
    for (const uint32_t size : *sizes) RC_ASSERT(size > 0u);
  });
}

TEST(Waves, OrderHostsByKeysInTurnAndNumbersAsNumbers) {
  std::vector<Host> hosts(5);
  const char* names[] = {"ws-10", "ws-9", "ws-2", "srv-1", "ws-1"};
  const char* rows[] = {"2", "10", "10", "", "2"};
  for (size_t i = 0; i < hosts.size(); ++i) {
    hosts[i].name = names[i];
    if (*rows[i] != 0) hosts[i].labels = {{"row", rows[i]}};
  }
  std::vector<Target> targets;
  for (const Host& host : hosts) targets.push_back({.host = &host});
  WavesSpec waves;
  EXPECT_THAT(WaveOrder(waves, targets), ElementsAre(0, 1, 2, 3, 4));
  waves.order = {{.kind = OrderKey::Kind::kName, .label = {}, .place = {}}};
  EXPECT_THAT(WaveOrder(waves, targets), ElementsAre(3, 4, 2, 1, 0));
  waves.order = {{.kind = OrderKey::Kind::kLabel, .label = "row", .place = {}}};
  EXPECT_THAT(WaveOrder(waves, targets), ElementsAre(0, 4, 1, 2, 3));
  waves.order.push_back({.kind = OrderKey::Kind::kName, .label = {}, .place = {}});
  EXPECT_THAT(WaveOrder(waves, targets), ElementsAre(4, 0, 2, 1, 3));
  targets[4].zone = model::v1::ZONE_BUBBLE;
  waves.order = {{.kind = OrderKey::Kind::kZone, .label = {}, .place = {}}};
  EXPECT_THAT(WaveOrder(waves, targets), ElementsAre(0, 1, 2, 3, 4));
}

}  // namespace
}  // namespace reprise::plan
