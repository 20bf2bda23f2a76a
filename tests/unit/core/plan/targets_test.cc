#include "core/plan/targets.h"

#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::OneStage;
using ::testing::SizeIs;

class Targets : public ::testing::Test {
 protected:
  // "host code" of all that are left out.
  std::vector<std::string> LeftOut(model::v1::Effect effect, const std::string& targets = "all",
                                   const std::string& stage = "") {
    documents = std::make_unique<Documents>(OneStage("      - {name: x, uses: edr.status}\n", stage, "", targets));
    EXPECT_THAT(documents->Found(), IsEmpty());
    if (known.empty()) known = documents->AllAdmitted();
    selection = SelectTargets(documents->dossier.workflows.at(0).stages.at(0), documents->dossier.inventory, known,
                              &policy, effect, protected_ok, asked);
    std::vector<std::string> lines;
    for (const plan::LeftOut& each : selection.left_out) lines.push_back(absl::StrCat(each.host->name, " ", each.code));
    return lines;
  }

  std::unique_ptr<Documents> documents;
  KnownHosts known = Documents("").AllAdmitted();
  model::SigningPolicy policy;
  bool protected_ok = false;
  bool asked = true;
  Selection selection;
};

TEST_F(Targets, HostsWithoutAnAgentAreNamed) {
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ), ElementsAre("ct-1 no_agent"));
  EXPECT_THAT(selection.targets, SizeIs(13));
}

TEST_F(Targets, HostsThatNeverEnrolledAreLeftOutIfTheCoordinatorWasAsked) {
  known.erase("ws-03");
  known["ws-04"].enrolled = false;
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "class == workstation"),
              ElementsAre("ws-03 not_enrolled", "ws-04 not_enrolled"));
  asked = false;
  known = {{"ws-01", {.hold = {}, .enrolled = true, .admitted = true}}};
  EXPECT_THAT(LeftOut(model::v1::EFFECT_CHANGE, "class == workstation"), IsEmpty());
}

TEST_F(Targets, OnlyReadingReachesHostsThatNobodyAdmittedOrThatAreOnHoldOrInQuarantine) {
  known["ws-01"].admitted = false;
  known["ws-02"].hold = "the police will come";
  known["ws-03"].zone = model::v1::ZONE_QUARANTINE;
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "class == workstation"), IsEmpty());
  for (const auto effect : {model::v1::EFFECT_CHANGE, model::v1::EFFECT_DESTROY}) {
    EXPECT_THAT(LeftOut(effect, "class == workstation"),
                ElementsAre("ws-01 not_admitted", "ws-02 hold", "ws-03 quarantine"));
  }
  EXPECT_EQ(selection.left_out[1].reason, "evidence hold: the police will come");
}

TEST_F(Targets, NothingChangesAProtectedClassWhateverItsActionsSay) {
  policy.protected_classes = {model::v1::ASSET_CLASS_MEDICAL_DEVICE};
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "name == pump-1"), IsEmpty());
  EXPECT_THAT(LeftOut(model::v1::EFFECT_CHANGE, "name == pump-1"), ElementsAre("pump-1 protected_class"));
  protected_ok = true;
  EXPECT_THAT(LeftOut(model::v1::EFFECT_CHANGE, "name == pump-1"), ElementsAre("pump-1 protected_class"));
}

TEST_F(Targets, AStageMayBeNarrowerThanItsSelector) {
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "class == server", "    allow: {zones: [trust_core]}\n"),
              ElementsAre("srv-2 zone"));
  EXPECT_EQ(selection.left_out[0].reason, "in zone dirty; the stage allows trust_core");
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "class == server", "    allow: {trust: [rebuilt, trusted]}\n"),
              ElementsAre("srv-2 trust"));
  EXPECT_THAT(LeftOut(model::v1::EFFECT_READ, "zone in (dirty, biomedical) and agent == true",
                      "    allow: {classes: workstation}\n"),
              ElementsAre("srv-2 asset_class", "pump-1 asset_class"));
}

TEST_F(Targets, WhatPeopleSignedStandsAboveWhatWasDeclared) {
  known["ws-01"].zone = model::v1::ZONE_BUBBLE;
  known["ws-01"].asset_class = model::v1::ASSET_CLASS_SERVER;
  known["ws-02"] = known["ws-01"];
  known["ws-02"].admitted = false;  // Then it is in quarantine, and counts as declared.
  LeftOut(model::v1::EFFECT_READ, "zone == bubble");
  ASSERT_THAT(selection.targets, SizeIs(1));
  EXPECT_EQ(selection.targets[0].host->name, "ws-01");
  EXPECT_EQ(selection.targets[0].zone, model::v1::ZONE_BUBBLE);
  EXPECT_EQ(selection.targets[0].asset_class, model::v1::ASSET_CLASS_SERVER);
  EXPECT_THAT(LeftOut(model::v1::EFFECT_CHANGE, "name == ws-02 and zone == dirty"), ElementsAre("ws-02 not_admitted"));
}

}  // namespace
}  // namespace reprise::plan
