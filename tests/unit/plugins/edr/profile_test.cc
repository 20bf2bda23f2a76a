// Profiles: the one that is built in, and what is refused.
#include "plugins/edr/profile.h"

#include <gmock/gmock.h>

#include "plugins/edr/builtin_profiles.h"

namespace reprise::edr {
namespace {

using sdk::Json;
using ::testing::HasSubstr;

Json ClamAv() { return Json::parse(BuiltinProfiles().at("clamav")); }

std::string WhyNot(const Json& profile) {
  try {
    ParseProfile(profile.dump(), "test");
    return "";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "bad_profile");
    return error.what();
  }
}

TEST(Profile, OfClamAvIsWhole) {
  const Profile profile = ParseProfile(BuiltinProfiles().at("clamav"), "clamav");
  EXPECT_EQ(profile.name, "clamav");
  EXPECT_EQ(profile.sensor.socket, "/run/clamav/clamd.ctl");
  EXPECT_EQ(profile.packages.back().need, Need::kOptional);
  EXPECT_THAT(profile.files.at(0).content, HasSubstr("\nAlertExceedsMax yes\n"));
  EXPECT_THAT(profile.runit_run, HasSubstr("exec /usr/sbin/clamd"));
  for (const auto& [path, lines] : profile.sensor.scan_requires) {
    for (const std::string& line : lines) EXPECT_THAT(profile.files.at(0).content, HasSubstr("\n" + line + "\n"));
  }
}

TEST(Profile, SaysWhereItIsWrong) {
  Json profile = ClamAv();
  profile["packages"][1]["need"] = "sometimes";
  EXPECT_THAT(WhyNot(profile), HasSubstr("packages[1]: need is \"sometimes\", expected always, optional or dependency"));
  profile = ClamAv();
  profile["colour"] = "red";
  EXPECT_THAT(WhyNot(profile), HasSubstr("colour is \"red\", expected no such field"));
  profile = ClamAv();
  profile["sensor"].erase("socket");
  EXPECT_THAT(WhyNot(profile), HasSubstr("sensor: socket is missing"));
}

TEST(Profile, MayNotReachOutOfWhatIsASensors) {
  for (const char* folder : {"/", "/etc", "/var/lib", "/var/lib/", "/home/x", "/var/lib/../lib/x", "var/lib/x", "/var/lib/."}) {
    Json profile = ClamAv();
    profile["leftovers"] = {folder};
    EXPECT_NE(WhyNot(profile), "") << folder;
  }
  Json profile = ClamAv();
  profile["files"][0]["path"] = "/etc/../root/x";
  EXPECT_NE(WhyNot(profile), "");
  profile = ClamAv();
  profile["files"][0]["mode"] = "4755";
  EXPECT_NE(WhyNot(profile), "") << "no file with the rights of its owner";
}

TEST(Profile, NeedsTheFileInAProgramsArguments) {
  Json profile = ClamAv();
  profile["sensor"] = {{"speaks", "command"},     {"version_command", {"scan", "-v"}}, {"scan_command", {"scan"}},
                       {"clean_exits", {0}},      {"infected_exits", {1}},            {"found_after", ": "},
                       {"found_before", " FOUND"}, {"file_mb_max", 10}};
  EXPECT_THAT(WhyNot(profile), HasSubstr("{file}"));
  profile["sensor"]["scan_command"] = {"scan", "{file}"};
  EXPECT_EQ(WhyNot(profile), "");
  profile["sensor"]["infected_exits"] = {1, 0};
  EXPECT_THAT(WhyNot(profile), HasSubstr("other numbers than clean_exits"));
}

TEST(Profile, SurvivesAnyBrokenField) {
  // Each field in turn becomes something else: refused or read, never a crash.
  const Json wrong[] = {Json(), 7, -1, 1e300, "", "x\ny", Json::array(), Json::object(), {1, 2}, {{"a", 1}}};
  for (const Json& path : {ClamAv().flatten()}) {
    for (const auto& [pointer, ignored] : path.items()) {
      for (const Json& value : wrong) {
        Json profile = ClamAv();
        profile[Json::json_pointer(pointer)] = value;
        WhyNot(profile);
      }
    }
  }
}

TEST(Profile, PatternsKnowTheStarOnly) {
  EXPECT_TRUE(Matches("clamav-base_*.deb", "clamav-base_1.4.6+dfsg-0+deb12u1_all.deb"));
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_TRUE(Matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(Matches("clamav-base_*.deb", "clamav-base-dbg_1.deb"));
  EXPECT_FALSE(Matches("a?c", "abc"));
  EXPECT_FALSE(Matches("", "a"));
}

}  // namespace
}  // namespace reprise::edr
