// The kit on the mock: honest, it passes; with a fault, the one check that is about that fault fails.
#include "agents/runner/conformance/conformance.h"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "agents/runner/conformance/sample_params.h"
#include "agents/runner/conformance/schema.h"
#include "agents/runner/conformance/verb_checks.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "tests/support/files.h"

namespace reprise::conformance {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::filesystem::path kMock = BuildFolder() / "plugins" / "mock.so";
const std::filesystem::path kPluginHost = BuildFolder() / "bin" / "reprise-plugin-host";

// A recovery point that is there on any host: the plugin itself.
json RestoreParams() {
  const std::string content = Slurp(kMock);
  const std::string manifest =
      absl::StrCat(ToHex(crypto::Sha256(content)), "  ", content.size(), "  ", kMock.filename().string(), "\n");
  return {{"source", kMock}, {"manifest_sha256", ToHex(crypto::Sha256(manifest))}};
}

Report Verify(const json& touch_params, const std::string& action = "touch",
              const std::filesystem::path& plugin = kMock) {
  ConformanceOptions options;
  options.plugin = plugin;
  options.plugin_host = kPluginHost;
  options.params_json = json{{"touch", touch_params}, {"restore", RestoreParams()}}.dump();
  options.only_action = action;
  const absl::StatusOr<Report> report = VerifyPlugin(options);
  if (!report.ok()) {
    ADD_FAILURE() << report.status();
    return {};
  }
  return *report;
}

const Check& Find(const Report& report, const std::string& name, const std::string& action = "touch") {
  for (const Check& check : report.checks) {
    if (check.action == action && check.name == name) return check;
  }
  static const Check none{"", "", Verdict::kNotApplicable, "no such check"};
  ADD_FAILURE() << "no check " << name << " in\n" << ToTable(report);
  return none;
}

bool CanChangeThings(const Report& report) { return report.setting.rfind("In throw-away", 0) == 0; }

TEST(Conformance, PassesAnHonestPlugin) {
  const Report report = Verify({{"mode", "slow"}, {"slow_ms", 300}}, "");
  EXPECT_TRUE(Passed(report)) << ToTable(report);
  EXPECT_EQ(report.plugin, "mock 1.0.0");
  EXPECT_EQ(Find(report, "dry run changes nothing").verdict, Verdict::kPass);
  EXPECT_EQ(Find(report, "hostile parameters", "look").verdict, Verdict::kPass);
  EXPECT_EQ(Find(report, "apply makes it so", "look").verdict, Verdict::kNotApplicable);
  if (!CanChangeThings(report)) GTEST_SKIP() << report.setting;
  for (const char* name : {"apply makes it so", "verify proves it", "plan foretells it", "apply twice changes once",
                           "writes only its declared paths", "rollback undoes it", "survives being killed",
                           "ends when asked", "no secret is told while changing"}) {
    EXPECT_EQ(Find(report, name).verdict, Verdict::kPass) << name;
  }
  EXPECT_EQ(Find(report, "rollback undoes it", "destroy").verdict, Verdict::kNotApplicable);
}

TEST(Conformance, WritesNothingToThisHost) {
  const std::string file = std::filesystem::temp_directory_path() / ("reprise-conformance-" + std::to_string(getpid()));
  const Report report = Verify({{"state_file", file}});
  if (CanChangeThings(report)) {
    EXPECT_EQ(Find(report, "apply makes it so").verdict, Verdict::kPass);
  }
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Conformance, FindsAProbeThatWrites) {
  const Report report = Verify({{"mode", "meddle"}, {"at", "probe"}});
  if (!CanChangeThings(report)) GTEST_SKIP() << report.setting;
  EXPECT_EQ(Find(report, "dry run changes nothing").verdict, Verdict::kFail);
  EXPECT_THAT(Find(report, "dry run changes nothing").reason, HasSubstr("/var/tmp/reprise-verify/state_file"));
}

TEST(Conformance, FindsASecretThatIsTold) {
  const Report report = Verify({{"mode", "tell"}, {"at", "any"}});
  EXPECT_EQ(Find(report, "no secret is told while looking").verdict, Verdict::kFail);
  EXPECT_THAT(Find(report, "no secret is told while looking").reason, HasSubstr("the secret is (secret)"));
  EXPECT_THAT(ToTable(report), ::testing::Not(HasSubstr("canary")));
}

TEST(Conformance, FindsAnApplyThatLies) {
  const Report report = Verify({{"mode", "lie"}});
  if (!CanChangeThings(report)) GTEST_SKIP() << report.setting;
  EXPECT_EQ(Find(report, "apply makes it so").verdict, Verdict::kFail);
  EXPECT_EQ(Find(report, "verify proves it").verdict, Verdict::kFail);
  EXPECT_EQ(Find(report, "apply twice changes once").verdict, Verdict::kFail);
}

TEST(Conformance, FindsARollbackThatLies) {
  const Report report = Verify({{"mode", "lie"}, {"at", "rollback"}});
  if (!CanChangeThings(report)) GTEST_SKIP() << report.setting;
  EXPECT_EQ(Find(report, "apply makes it so").verdict, Verdict::kPass);
  EXPECT_EQ(Find(report, "rollback undoes it").verdict, Verdict::kFail);
}

TEST(Conformance, FindsAnApplyThatDoesNotListen) {
  const std::string sha256 = *crypto::Sha256OfFile(kMock);
  const absl::StatusOr<json> checks =
      OnThisHost({{kMock, kPluginFile}, {kPluginHost, kPluginHostFile}}, [&](Root& root) {
        spdlog::set_level(spdlog::level::off);
        const ActionUnderTest deaf{
            "touch", json::object(), {{"mode", "deaf"}, {"slow_ms", 4000}, {"state_file", "/nowhere/at/all"}}, {}};
        return ToJson({CheckCancelling(root, sha256, deaf, std::chrono::milliseconds(200))});
      });
  ASSERT_TRUE(checks.ok()) << checks.status();
  EXPECT_EQ(ChecksFromJson(*checks).at(0).verdict, Verdict::kFail);
}

TEST(Conformance, FindsACrash) {
  const Report report = Verify({{"mode", "crash"}, {"at", "probe"}});
  EXPECT_EQ(Find(report, "probe and plan answer").verdict, Verdict::kFail);
  EXPECT_THAT(Find(report, "probe and plan answer").reason, HasSubstr("signal 11"));
  EXPECT_EQ(Find(report, "hostile parameters").verdict, Verdict::kFail);
}

TEST(Conformance, SaysWhyALibraryIsNoPlugin) {
  const Report report = Verify(json::object(), "", "/usr/lib/x86_64-linux-gnu/libz.so.1");
  EXPECT_FALSE(Passed(report));
  EXPECT_THAT(Find(report, "describes itself", "").reason, HasSubstr("not a plugin of Reprise"));
}

TEST(Conformance, RefusesParametersOfAnActionThatIsNotThere) {
  ConformanceOptions options;
  options.plugin = kMock;
  options.plugin_host = kPluginHost;
  options.params_json = R"({"tuoch":{}})";
  EXPECT_EQ(VerifyPlugin(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Report, IsTheSameForPeopleAndPrograms) {
  const Report report{"p 1", "ab", "here", {{"a", "n", Verdict::kPass, ""}, {"b", "m", Verdict::kFail, "because"}}};
  EXPECT_THAT(ToTable(report), HasSubstr("FAIL            b       m      because\n"));
  EXPECT_THAT(ToTable(report), HasSubstr("1 passed, 1 failed, 0 not applicable"));
  const json object = ToJson(report);
  EXPECT_EQ(object.at("passed"), false);
  EXPECT_EQ(object.at("checks").at(1).at("verdict"), "fail");
  EXPECT_EQ(ChecksFromJson(object.at("checks")).at(1).reason, "because");
}

TEST(SampleParams, FillWhatIsRequiredAndKeepWhatIsGiven) {
  const json schema = json::parse(R"({"type":"object","required":["path","mode","n","who"],"properties":{
    "path":{"type":"string","pattern":"^/"},"mode":{"enum":["x","y"]},"n":{"type":"integer","minimum":3},
    "who":{"type":"string"},"more":{"type":"string"}}})");
  EXPECT_EQ(SampleParams(schema, {{"who", "me"}}),
            (json{{"path", "/var/tmp/reprise-verify/path"}, {"mode", "x"}, {"n", 3}, {"who", "me"}}));
}

TEST(Schema, TellsWhatIsWrong) {
  EXPECT_EQ(WhyNotASchema(json::parse(R"({"type":"object"})")), "");
  EXPECT_NE(WhyNotASchema(json::parse(R"({"type":"nonsense"})")), "");
  const json schema = json::parse(R"({"type":"object","properties":{"n":{"type":"integer"}}})");
  EXPECT_EQ(WhyNotValid(schema, {{"n", 1}}), "");
  EXPECT_THAT(WhyNotValid(schema, {{"n", "one"}}), HasSubstr("n"));
}

TEST(Schema, JudgesATextThatIsTooLongForAPattern) {
  const json schema = json::parse(R"({"type":"object","properties":{
    "name":{"type":"string","pattern":"^[A-Z]*$","maxLength":128},"free":{"type":"string","pattern":"^[A-Z]*$"}}})");
  const std::string long_text(900'000, 'A');
  EXPECT_THAT(WhyNotValid(schema, {{"name", long_text}}), HasSubstr("maxLength"));
  EXPECT_EQ(WhyNotValid(schema, {{"free", long_text}}), "");
  EXPECT_NE(WhyNotValid(schema, {{"free", std::string(900'000, 'a')}}), "");
}

}  // namespace
}  // namespace reprise::conformance
