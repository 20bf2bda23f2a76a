#include "plugins/sdk/params.h"

#include <gmock/gmock.h>

#include <regex>

#include "plugins/sdk/spelling.h"

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

TEST(Params, TellThePlannerWhatTextsLookLike) {
  const Json properties = Params{LikeAddress(Text("from").About("Who opens")), LikeAddressAndPort(List("to")), LikeSha256(Text("hash"))}
                              .Schema().at("properties");
  EXPECT_EQ(properties.at("from").at("pattern"), "^" + AddressPattern() + "$");
  EXPECT_THAT(properties.at("from").at("description").get<std::string>(), HasSubstr("Who opens: an address"));
  EXPECT_EQ(properties.at("to").at("items").at("pattern"), "^" + AddressAndPortPattern() + "$") << "of each item";
  EXPECT_THAT(properties.at("to").at("items").at("description").get<std::string>(), HasSubstr("ADDRESS:PORT"));
  const auto fits = [&](const Json& schema, const std::string& text) {
    return std::regex_search(text, std::regex(schema.at("pattern").get<std::string>()));
  };
  for (const char* right : {"192.0.2.7", "10.255.0.1", "2001:db8::7", "::1", "2001:db8:0:0:0:0:192.0.2.7"}) {
    EXPECT_TRUE(fits(properties.at("from"), right)) << right;
  }
  for (const char* wrong : {"999.1.1.1", "192.0.2", "192.0.2.7.1", "192.0.2.07", "www", "192.0.2.7 ", "", "192.0.2.0/24", "db8"}) {
    EXPECT_FALSE(fits(properties.at("from"), wrong)) << wrong;
  }
  for (const char* right : {"192.0.2.7:1", "[2001:db8::7]:65535"}) EXPECT_TRUE(fits(properties.at("to").at("items"), right)) << right;
  for (const char* wrong : {"192.0.2.7", "192.0.2.7:0", "192.0.2.7:65536", "2001:db8::7", "www:80"}) {
    EXPECT_FALSE(fits(properties.at("to").at("items"), wrong)) << wrong;
  }
  EXPECT_TRUE(fits(properties.at("hash"), std::string(64, 'a')));
  for (const auto& wrong : {std::string("00"), std::string(64, 'A'), std::string(65, 'a')}) {
    EXPECT_FALSE(fits(properties.at("hash"), wrong)) << wrong;
  }
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
