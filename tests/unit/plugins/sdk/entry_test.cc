// From the C boundary to the classes and back.
#include "plugins/sdk/entry.h"

#include <gmock/gmock.h>

#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::sdk {
namespace {

class Paint final : public Action {
 public:
  ActionInfo Describe() const override {
    return {.name = "paint", .summary = "Paint", .undoable = true, .params = {Text("colour").Default("red"), Text("fail")}};
  }
  ProbeResult Probe(Context& context) override {
    return {.holds = context.Param("colour") == "red",
            .summary = "seen",
            .evidence = {{"eye", context.Param("colour")}},
            .claims = {{"wall.red", ClaimState::kUnknown, "dark"}}};
  }
  PlanResult Plan(Context& context) override { return {{{"wall", "white", context.Param("colour")}}, "one wall"}; }
  ApplyResult Apply(Context& context) override {
    const std::string fail = context.Param("fail", std::string());
    if (fail == "error") throw Error("no_paint", "the pot is empty", "buy some");
    if (fail == "space") throw std::system_error(ENOSPC, std::generic_category(), "write /wall");
    if (fail == "memory") throw std::bad_alloc();
    if (fail == "int") throw 7;
    context.ThrowIfCancelled();
    context.Progress(0.5, "half");
    context.Log(LogLevel::kInfo, context.host() + " " + std::to_string(context.attempt()));
    return {true, "painted"};
  }
};
class See final : public ReadAction {
 public:
  ActionInfo Describe() const override { return {.name = "see", .summary = "See", .effect = Effect::kRead}; }
  ProbeResult Probe(Context&) override { return {.holds = true, .summary = "seen"}; }
};
using Painter = Plugin<Paint, See>;

Json Ask(const std::string& verb, const Json& params = Json::object(), const std::string& action = "paint",
         FakeCall* with = nullptr) {
  FakeCall own({{"verb", verb}, {"action", action}, {"params", params}, {"host", "ws-001"}, {"attempt", 3}});
  FakeCall& call = with != nullptr ? *with : own;
  EXPECT_EQ(Painter::Run(call.call()), 0);
  return call.result;
}

TEST(Entry, DescribesEveryAction) {
  const Json text = Json::parse(Painter::Describe({"painter", "1.0.0", "Walls"}));
  EXPECT_EQ(text.at("name"), "painter");
  EXPECT_EQ(text.at("actions").at(0).at("undoable"), true);
  EXPECT_EQ(text.at("actions").at(1).at("effect"), "read");
  EXPECT_EQ(text.at("actions").at(0).at("needs"), (Json{{"root", true}, {"network", false}, {"processes", false}, {"paths", Json::array()}}));
  EXPECT_EQ(text.at("actions").at(0).at("restores"), false);
}

TEST(Entry, AnswersEachVerbInItsForm) {
  const Json probe = Ask("probe");
  EXPECT_EQ(probe.at("holds"), true);
  EXPECT_EQ(probe.at("evidence").at(0), (Json{{"kind", "eye"}, {"text", "red"}}));
  EXPECT_EQ(probe.at("claims").at(0), (Json{{"name", "wall.red"}, {"state", "unknown"}, {"detail", "dark"}}));
  EXPECT_EQ(Ask("plan", {{"colour", "blue"}}).at("changes").at(0).at("to"), "blue");
  EXPECT_EQ(Ask("apply"), (Json{{"changed", true}, {"summary", "painted"}}));
}

TEST(Entry, HandsContextToTheAction) {
  FakeCall call({{"verb", "apply"}, {"action", "paint"}, {"host", "ws-001"}, {"attempt", 3}});
  Ask("", {}, "", &call);
  EXPECT_THAT(call.progress, ::testing::ElementsAre("half"));
  EXPECT_THAT(call.logs, ::testing::ElementsAre("ws-001 3"));
}

TEST(Entry, TurnsWhateverIsThrownIntoAnError) {
  const std::pair<const char*, const char*> cases[] = {
      {"error", "no_paint"}, {"space", "disk_full"}, {"memory", "out_of_memory"}, {"int", "internal"}};
  for (const auto& [fail, code] : cases) EXPECT_EQ(Ask("apply", {{"fail", fail}}).at("error").at("code"), code);
  EXPECT_EQ(Ask("apply", {{"fail", "error"}}).at("error").at("hint"), "buy some");
}

TEST(Entry, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Ask("format").at("error").at("code"), "unknown_verb");
  EXPECT_EQ(Ask("probe", Json::object(), "scrub").at("error").at("code"), "unknown_action");
  EXPECT_EQ(Ask("probe", {{"size", 1}}).at("error").at("code"), "bad_params");
  EXPECT_EQ(Ask("rollback").at("error").at("code"), "unsupported_verb");
  FakeCall list(Json::array({1}));
  EXPECT_EQ(Ask("", {}, "", &list).at("error").at("code"), "bad_request");
  FakeCall wrong({{"verb", 1}, {"action", "paint"}});
  EXPECT_TRUE(Ask("", {}, "", &wrong).contains("error"));
}

TEST(Entry, ReportsACancelledVerb) {
  FakeCall call({{"verb", "apply"}, {"action", "paint"}});
  call.cancelled = true;
  EXPECT_EQ(Ask("", {}, "", &call).at("error").at("code"), "cancelled");
}

TEST(Entry, AnActionThatReadsNeedsOnlyAProbe) {
  EXPECT_EQ(Ask("verify", Json::object(), "see").at("holds"), true);
  EXPECT_EQ(Ask("apply", Json::object(), "see").at("changed"), false);
  EXPECT_TRUE(Ask("plan", Json::object(), "see").at("changes").empty());
}

}  // namespace
}  // namespace reprise::sdk
