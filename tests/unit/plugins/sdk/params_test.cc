#include "plugins/sdk/params.h"

#include <gmock/gmock.h>

namespace reprise::sdk {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Params kParams{Text("text").AtMost(10),
                     Name("name"),
                     Path("path").Required(),
                     Integer("count").Range(1, 5).Default(2),
                     Number("ratio"),
                     Boolean("flag").Default(false),
                     Duration("wait"),
                     List("list"),
                     Text("mode").OneOf({"strict", "lax"}),
                     Text("password").Secret()};

std::string WhyNot(Json given) {
  if (given.is_object() && !given.contains("path")) given["path"] = "/a";
  try {
    kParams.Complete(given);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "bad_params");
    return error.what();
  }
}

TEST(Params, FillDefaultsIn) {
  EXPECT_EQ(kParams.Complete({{"path", "/a"}}), (Json{{"path", "/a"}, {"count", 2}, {"flag", false}}));
}

TEST(Params, AcceptWhatFits) {
  EXPECT_EQ(WhyNot({{"text", "1234567890"}, {"name", "clamav-daemon"}, {"path", "/srv/a..b"}, {"count", 5},
                    {"ratio", 0.5}, {"flag", true}, {"wait", "1h30m"}, {"list", {"a", "b"}}, {"mode", "lax"}}),
            "");
  EXPECT_EQ(WhyNot({{"count", 3.0}}), "");
}

TEST(Params, RefuseEachKindOfWrongValue) {
  const std::pair<Json, const char*> cases[] = {
      {{{"text", 1}}, "a string"},
      {{{"text", "12345678901"}}, "at most 10 bytes"},
      {{{"text", std::string("a\0b", 3)}}, "NUL"},
      {{{"name", "-rf"}}, "letters"},
      {{{"name", "a/b"}}, "letters"},
      {{{"path", "relative"}}, "absolute"},
      {{{"path", "/srv/../etc"}}, "without .."},
      {{{"path", ""}}, "absolute"},
      {{{"count", 0}}, "from 1 to 5"},
      {{{"count", 1.5}}, "whole"},
      {{{"count", 1e300}}, "whole"},
      {{{"count", "2"}}, "whole"},
      {{{"ratio", "x"}}, "a number"},
      {{{"flag", 1}}, "true or false"},
      {{{"wait", "soon"}}, "duration"},
      {{{"wait", "5"}}, "duration"},
      {{{"list", "a"}}, "a list"},
      {{{"list", {1}}}, "a list of strings"},
      {{{"mode", "loose"}}, "strict, lax"},
      {{{"unknown", 1}}, "unknown to this action"},
      {Json::array(), "expected an object"}};
  for (const auto& [given, expected] : cases) EXPECT_THAT(WhyNot(given), HasSubstr(expected)) << given;
  EXPECT_THROW(kParams.Complete(Json::object()), Error);
}

TEST(Params, NeverShowASecretOrAnEndlessValue) {
  EXPECT_THAT(WhyNot({{"password", Json::array({"hunter2"})}}), Not(HasSubstr("hunter2")));
  EXPECT_THAT(WhyNot({{"password", std::string(5000, 'x') + "hunter2"}}), HasSubstr("(secret)"));
  EXPECT_LT(WhyNot({{"text", std::string(1 << 20, 'x')}}).size(), 200u);
}

TEST(Params, AreAJsonSchemaToo) {
  const Json schema = kParams.Schema();
  EXPECT_EQ(schema.at("required"), Json::array({"path"}));
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(schema.at("properties").at("count"),
            (Json{{"type", "integer"}, {"minimum", 1}, {"maximum", 5}, {"default", 2}}));
  EXPECT_EQ(schema.at("properties").at("password").at("writeOnly"), true);
  EXPECT_EQ(schema.at("properties").at("mode").at("enum"), Json::array({"strict", "lax"}));
}

TEST(Durations, AreSumsOfUnits) {
  EXPECT_EQ(ParseDurationMs("90s"), 90'000);
  EXPECT_EQ(ParseDurationMs("1h30m"), 5'400'000);
  EXPECT_EQ(ParseDurationMs("500ms"), 500);
  for (const char* wrong : {"", "s", "5", "5x", "-5s", "5 s", "99999999999999d"}) {
    EXPECT_EQ(ParseDurationMs(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace reprise::sdk
