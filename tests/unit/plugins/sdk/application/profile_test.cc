// Profiles as texts: what is understood, and what is refused with its place.
#include <gmock/gmock.h>

#include "plugins/sdk/application/profile_reader.h"

namespace reprise::sdk::application {
namespace {

using ::testing::HasSubstr;

Json Small() {
  return Json::parse(R"json({
    "format": "reprise-application-profile/1", "name": "small", "title": "Small", "vendor": "a test",
    "cluster": {"service": "small-postgres", "folder": "/var/lib/small/postgres", "socket": "/var/lib/small/socket", "port": 5555},
    "modules": [
      {"name": "a", "title": "A", "base": "a", "files": ["a*.dump"],
       "checks": [{"name": "rows", "query": ["SELECT count(*)", "FROM t"], "at_least": 1}]},
      {"name": "b", "title": "B", "base": "b", "after": ["a"], "files": ["b.dump"]}],
    "service": {"name": "small", "user": "nobody", "command": ["/usr/bin/true"], "address": "127.0.0.1:80",
      "checks": [{"name": "same", "http": "/x", "field": "n", "module": "a", "query": ["SELECT 1"]}]},
    "interfaces": [{"name": "in", "listens": ["2575"], "connects": ["10.0.0.1:99", ":389"]}]})json");
}

std::string WhyRefused(const Json& profile) {
  try {
    ProfileReader::Read(profile.dump(), "small.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "bad_profile");
    return error.what();
  }
  return "";
}

TEST(Profile, IsReadWhole) {
  const Profile profile = ProfileReader::Read(Small().dump(), "small.json");
  EXPECT_EQ(profile.modules.at(1).after, std::vector<std::string>{"a"});
  EXPECT_EQ(profile.modules.at(0).owner, "a_owner");
  EXPECT_EQ(profile.modules.at(0).checks.at(0).query, "SELECT count(*) FROM t");
  EXPECT_EQ(profile.service.checks.at(0).module, "a");
  EXPECT_EQ(profile.interfaces.at(0).listens, std::vector<int>{2575});
  EXPECT_EQ(profile.stop_order, std::vector<std::string>{"service"});
  EXPECT_EQ(ModuleOf(profile, "b").base, "b");
  EXPECT_THROW(ModuleOf(profile, ""), Error) << "two modules: which?";
  EXPECT_THROW(ModuleOf(profile, "c"), Error);
}

TEST(Profile, IsRefusedWithThePlaceWhereverItIsOtherwise) {
  const auto with = [](const std::string& pointer, const Json& value) {
    Json profile = Small();
    profile[Json::json_pointer(pointer)] = value;
    return WhyRefused(profile);
  };
  EXPECT_EQ(WhyRefused(Small()), "");
  EXPECT_THAT(with("/unknown", 1), HasSubstr("small.json: unknown is 1, expected no such field"));
  EXPECT_THAT(with("/modules/0/base", "a; DROP"), HasSubstr("modules[0]: base"));
  EXPECT_THAT(with("/modules/1/base", "a"), HasSubstr("each base once"));
  EXPECT_THAT(with("/modules/0/after", Json{"b"}), HasSubstr("modules further up"));
  EXPECT_THAT(with("/modules/0/checks/0/query", Json{"\\! id"}), HasSubstr("one SELECT or WITH"));
  EXPECT_THAT(with("/modules/0/checks/0/query", Json{"DELETE FROM t"}), HasSubstr("one SELECT or WITH"));
  EXPECT_THAT(with("/modules/0/checks/0/equals", "1"), HasSubstr("either equals or at_least"));
  EXPECT_THAT(with("/modules/0/checks/0/http", "/x"), HasSubstr("ask its base only"));
  EXPECT_THAT(with("/service/checks/0/module", "z"), HasSubstr("name of a module"));
  EXPECT_THAT(with("/service/command", Json{"python3"}), HasSubstr("absolute path"));
  EXPECT_THAT(with("/cluster/folder", "/etc"), HasSubstr("below /var/lib or /srv"));
  EXPECT_THAT(with("/cluster/folder", "/var/lib/../x"), HasSubstr("without .."));
  EXPECT_THAT(with("/cluster/port", 0), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(with("/interfaces/0/listens", Json{"0"}), HasSubstr("ports in quotes"));
  EXPECT_THAT(with("/interfaces/0/connects", Json{"host"}), HasSubstr("ADDRESS:PORT"));
  EXPECT_THAT(with("/stop_order", Json{"disk"}), HasSubstr("service, cluster"));
  EXPECT_THAT(with("/format", "reprise-application-profile/2"), HasSubstr("reprise-application-profile/1"));
  EXPECT_THROW(ProfileReader::Read("nonsense", "x"), Error);
}

TEST(Pattern, HasStarsOnly) {
  EXPECT_TRUE(Matches("agiletime*.dump", "agiletime-2022.dump"));
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_FALSE(Matches("a*.dump", "a.dump.gz"));
  EXPECT_FALSE(Matches("a?", "ab"));
}

}  // namespace
}  // namespace reprise::sdk::application
