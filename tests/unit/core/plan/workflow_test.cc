#include "core/plan/workflow.h"

#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::OneStage;
using ::testing::SizeIs;

std::vector<std::string> Found(const std::string& text) {
  return Documents(text).Found();
}

constexpr char kStep[] = "      - {name: install, uses: edr.install, with: {version: 4.2.1}}\n";

TEST(Workflow, ReadsEverythingThatADocumentCanSay) {
  const Documents documents(
      OneStage(kStep,
               "    after: []\n    optional: true\n    allow: {zones: [dirty], trust: unknown}\n    in_flight: 3\n"
               "    failures: {max: 2, percent: 5}\n    unreachable: fail\n    unreachable_after: 2m\n",
               "parameters:\n  - {name: site, type: string, enum: [nord, sud], default: nord}\n"
               "  - {name: after, type: duration, default: 1h30m}\n  - {name: many, type: list, default: [a, b]}\n"
               "  - {name: n, type: integer, required: true, description: How many}\n"
               "expires: 48h\nlimits: {in_flight: 9, per_host: 2, failures: {percent: 1}}\ncapacities: {wsus: 4}\n"));
  EXPECT_THAT(documents.Found(), IsEmpty());
  const Workflow& workflow = *documents.dossier.FindWorkflow("edr");
  ASSERT_THAT(workflow.parameters, SizeIs(4));
  EXPECT_EQ(workflow.parameters[0].default_value, Json("nord"));
  EXPECT_EQ(workflow.parameters[1].default_value, Json("1h30m"));
  EXPECT_EQ(workflow.parameters[2].default_value, Json({"a", "b"}));
  EXPECT_TRUE(workflow.parameters[3].required);
  EXPECT_EQ(workflow.expires_ms, 48 * testing::kHour);
  EXPECT_EQ(workflow.in_flight, 9u);
  EXPECT_EQ(workflow.per_host, 2u);
  EXPECT_EQ(workflow.failures->percent, 1u);
  EXPECT_EQ(workflow.capacities.at("wsus"), 4u);
  const StageSpec& stage = workflow.stages.at(0);
  EXPECT_TRUE(stage.optional);
  EXPECT_THAT(stage.allow.zones, ElementsAre(model::v1::ZONE_DIRTY));
  EXPECT_EQ(stage.unreachable, model::v1::UNREACHABLE_FAIL);
  EXPECT_EQ(stage.unreachable_after_ms, 120'000);
  EXPECT_EQ(workflow.FindParameter("nobody"), nullptr);
}

TEST(Workflow, TellsAllThatIsWrongAtOnceInTheOrderOfTheText) {
  EXPECT_THAT(
      Found("apiVersion: reprise/v1\nkind: Workflow\nmetadata: {name: EDR}\nexpires: soon\nlimits: {in_flght: "
            "3}\nstages:\n"
            "  - name: go\n    targets: clas == workstation\n    steps:\n      - {name: a, uses: edr, on_failure: "
            "undo}\n"),
      ElementsAre("3:18 name is \"EDR\" = expected a-z, 0-9, '-' and '.', at most 64, beginning with a letter or digit",
                  "4:10 expires is \"soon\" = expected a duration such as 90s, 15m, 24h or 1h30m",
                  "5:10 the key \"in_flght\" is unknown in limits = expected one of in_flight, per_host, failures = "
                  "nearest in_flight",
                  "8:14 \"clas\" is no property of a host = expected one of name, zone, class, trust, agent, "
                  "labels.<key> = nearest class",
                  "10:25 uses is \"edr\" = expected a plugin and one of its actions, such as edr.install",
                  "10:42 on_failure is \"undo\" = expected one of stop, continue, rollback"));
}

TEST(Workflow, ChecksParametersAndTheirDefaults) {
  EXPECT_THAT(
      Found(OneStage(
          kStep, "",
          "parameters:\n  - {name: a, type: int}\n  - {name: b, type: integer, default: many}\n  - {name: b}\n"
          "  - {name: c, enum: [x, y], default: z}\n  - {name: d, required: true, default: x}\n  - {type: list}\n"
          "  - {name: e, type: duration, enum: []}\n  - {name: f, type: list, enum: [x], default: [x, q]}\n")),
      ElementsAre(
          "5:21 type is \"int\" = expected one of string, integer, number, boolean, duration, list = nearest list",
          "6:39 default is \"many\" = expected a whole number", "7:12 the parameter b stands here a second time",
          "8:38 parameter c is \"z\" = expected one of x, y = nearest x",
          "9:40 parameter d is required and has a default = expected one of the two",
          "10:5 a parameter has no \"name\" = expected a value for \"name\"",
          "11:37 enum is empty = expected a list of the values that may be given",
          "12:47 parameter f is \"q\" = expected x = nearest x"));
  EXPECT_THAT(Found(OneStage(kStep, "", "parameters: {a: {type: string}}\n")),
              ElementsAre("4:13 parameters is a map = expected a list: \"- name: …\""));
}

TEST(Workflow, NeverShowsASecret) {
  const Documents documents(OneStage(kStep, "", "parameters:\n  - {name: key, secret: true, default: hunter2}\n"));
  EXPECT_THAT(documents.Found(), ElementsAre(HasSubstr("5:40 the secret parameter key has a default")));
  EXPECT_THAT(documents.diagnostics.Render(), Not(HasSubstr("hunter2")));
}

TEST(Workflow, DrawsACircleOfStages) {
  const std::string stages =
      "stages:\n  - {name: a, after: c, targets: all, steps: [{name: x, uses: edr.status}]}\n"
      "  - {name: b, after: [a], targets: all, steps: [{name: x, uses: edr.status}]}\n"
      "  - {name: c, after: [b, d], targets: all, steps: [{name: x, uses: edr.status}]}\n";
  EXPECT_THAT(Found(absl::StrCat(testing::kHead, stages)),
              ElementsAre("5:22 stages wait for each other: a -> c -> b -> a = expected an order without a circle (a "
                          "-> b: a comes after b)",
                          HasSubstr("7:26 no stage is called \"d\"")));
}

TEST(Workflow, WantsNamesThatAreUnique) {
  EXPECT_THAT(
      Found(absl::StrCat(
          testing::kHead,
          "stages:\n  - {name: a, targets: all, steps: [{name: x, uses: edr.status}, {name: x, uses: edr.status}]}\n"
          "  - {name: a, targets: all, steps: [{name: x, uses: edr.status}]}\n")),
      ElementsAre("5:73 the step x stands in stage a a second time", "6:12 the stage a stands here a second time"));
  // Made from the stage's and the wave's names: the second gate would be called go-wave-1 too.
  EXPECT_THAT(
      Found(OneStage(
          kStep, "    gate: {name: go-wave-1, question: Sure?}\n    waves: {canary: 1, gate: {question: Sound?}}\n")),
      ElementsAre("8:30 a second gate is called go-wave-1 = expected a name of its own for every gate"));
}

TEST(Workflow, KnowsEveryTokenAndHowManyThereAre) {
  EXPECT_THAT(Found(OneStage("      - {name: a, uses: edr.status, tokens: {wsus: 3, wsu: 1}}\n", "",
                             "capacities: {wsus: 2}\n")),
              ElementsAre("9:46 step a takes 3 of the token wsus, and there are only 2 = expected at most 2",
                          "9:55 no capacity is given for the token wsu = expected wsus = nearest wsus"));
}

TEST(Workflow, KeepsWavesAndGatesToSense) {
  EXPECT_THAT(
      Found(OneStage(kStep,
                     "    waves: {canary: 0, sizes: [10%, rest, 3], gate: {question: Sound?, approvers: [bob], quorum: "
                     "2}, order: [size]}\n")),
      ElementsAre(
          "7:21 canary is \"0\" = expected a number of hosts from 1 up, or a percentage from 1% to 100%",
          "7:37 rest is not the last size = expected nothing after rest: no host is left",
          "7:53 a gate without a canary before it = expected canary, or gate_each: true",
          "7:98 quorum is 2, and there are only 1 approvers = expected at least as many approvers as the quorum",
          "7:110 order is \"size\" = expected one of name, zone, class, labels.<key>"));
  EXPECT_THAT(Found(OneStage(kStep, "    failures: {}\n")),
              ElementsAre(HasSubstr("failures says neither max nor percent")));
}

TEST(PlaceInside, PointsIntoATextOnOneLineAndAtTheWholeOtherwise) {
  Diagnostics diagnostics;
  const uint32_t source = diagnostics.AddSource("x", "targets: 'é == b'\n  folded text\n");
  const Placed quoted{.text = "é == b", .place = {.source = source, .line = 1, .column = 10, .length = 8}};
  EXPECT_EQ(PlaceInside(quoted, 0, 2, diagnostics).column, 11u);
  EXPECT_EQ(PlaceInside(quoted, 0, 2, diagnostics).length, 1u);
  EXPECT_EQ(PlaceInside(quoted, 6, 1, diagnostics).column, 16u);
  const Placed folded{.text = "other words", .place = quoted.place};
  EXPECT_EQ(PlaceInside(folded, 6, 5, diagnostics).column, 10u);
}

TEST(DiagnosticsTest, APlaceInDocumentsThatItDoesNotHaveIsNone) {
  const Diagnostics none;
  EXPECT_EQ(none.SourceBytes(7), "");
  EXPECT_EQ(none.SourceName(7), "");
  Placed scalar;
  scalar.text = "text";
  scalar.place = {.source = 7, .line = 3, .column = 2, .length = 1};
  EXPECT_EQ(PlaceInside(scalar, 1, 1, none).column, 2u);
}

}  // namespace
}  // namespace reprise::plan
