#include "core/plan/parameters.h"

#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::OneStage;

constexpr char kParameters[] =
    "parameters:\n  - {name: site, enum: [nord, sud], required: true}\n  - {name: n, type: integer, default: 3}\n"
    "  - {name: x, type: number}\n  - {name: yes, type: boolean}\n  - {name: wait, type: duration}\n  - {name: hosts, "
    "type: list}\n"
    "  - {name: pin, type: integer, secret: true}\n";

struct Given {
  explicit Given(const std::map<std::string, std::string>& texts) {
    values = ReadParameters(documents.dossier.workflows.at(0), texts, documents.diagnostics);
    found = documents.Found();
  }
  Documents documents{OneStage("      - {name: x, uses: edr.status}\n", "", kParameters)};
  ParameterValues values;
  std::vector<std::string> found;
};

TEST(Parameters, AreOfTheirDeclaredType) {
  const Given given(
      {{"site", "nord"}, {"n", "4"}, {"x", "0.5"}, {"yes", "true"}, {"wait", "90s"}, {"hosts", "ws-1, ws-2"}});
  EXPECT_THAT(given.found, IsEmpty());
  EXPECT_EQ(given.values.at("site"), Json("nord"));
  EXPECT_EQ(given.values.at("n"), Json(4));
  EXPECT_EQ(given.values.at("x"), Json(0.5));
  EXPECT_EQ(given.values.at("yes"), Json(true));
  EXPECT_EQ(given.values.at("wait"), Json("90s"));
  EXPECT_EQ(given.values.at("hosts"), Json({"ws-1", "ws-2"}));
}

TEST(Parameters, FallBackToTheirDefaults) {
  const Given given({{"site", "sud"}, {"hosts", ""}});
  EXPECT_THAT(given.found, IsEmpty());
  EXPECT_EQ(given.values.at("n"), Json(3));
  EXPECT_EQ(given.values.at("hosts"), Json::array());
  EXPECT_FALSE(given.values.contains("x"));
}

TEST(Parameters, AreAllRefusedAtOnce) {
  const Given given({{"sight", "nord"}, {"n", "4.5"}, {"yes", "yes"}, {"wait", "long"}, {"x", "0x10"}});
  EXPECT_THAT(
      given.found,
      ElementsAre(
          "parameter n is \"4.5\" = expected a whole number",
          HasSubstr("workflow edr has no parameter \"sight\" = expected one of site, n, x, yes, wait, hosts, pin"),
          "parameter wait is \"long\" = expected a duration such as 90s, 15m, 24h or 1h30m",
          "parameter x is \"0x10\" = expected a number", "parameter yes is \"yes\" = expected true or false",
          "5:12 no value is given for the parameter site = expected one of nord, sud"));
  EXPECT_THAT(Given(std::map<std::string, std::string>{{"site", "nor"}}).found,
              ElementsAre("parameter site is \"nor\" = expected one of nord, sud = nearest nord"));
}

TEST(Parameters, NeverShowASecret) {
  const Given given({{"site", "nord"}, {"pin", "hunter2"}});
  EXPECT_THAT(given.found,
              ElementsAre("parameter pin is of another type (the value is secret) = expected a whole number"));
  EXPECT_THAT(given.documents.diagnostics.Render(), Not(HasSubstr("hunter2")));
}

TEST(Parameters, GiveSelectorsTheirTexts) {
  EXPECT_THAT(TextsOf(Json("a")), ElementsAre("a"));
  EXPECT_THAT(TextsOf(Json(4)), ElementsAre("4"));
  EXPECT_THAT(TextsOf(Json({"a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(TextsOf(Json::array()), IsEmpty());
}

}  // namespace
}  // namespace reprise::plan
