#include "core/plan/catalog.h"

#include "core/crypto/sha256.h"
#include "tests/support/status_matchers.h"

namespace reprise::plan {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Json Descriptor(const std::string& version = "1.0.0") {
  return {{"name", "edr"},
          {"version", version},
          {"summary", "Endpoint protection"},
          {"actions",
           {{{"name", "install"},
             {"summary", "Puts it on"},
             {"effect", "change"},
             {"undoable", true},
             {"idempotent", true},
             {"needs", {{"root", true}, {"network", false}, {"paths", Json::array()}}},
             {"timeout", "10m"},
             {"memory_mb", 512},
             {"protected", false},
             {"params", {{"type", "object"}}}}}}};
}

const std::string kHash = crypto::Sha256("plugin");

TEST(Catalog, ReadsWhatAPluginSaysOfItself) {
  ASSERT_OK_AND_ASSIGN(const PluginSpec plugin, ReadDescriptor(Descriptor().dump(), kHash));
  EXPECT_EQ(plugin.name, "edr");
  ASSERT_NE(plugin.Find("install"), nullptr);
  EXPECT_EQ(plugin.Find("install")->effect, model::v1::EFFECT_CHANGE);
  EXPECT_TRUE(plugin.Find("install")->undoable);
  EXPECT_EQ(plugin.Find("install")->timeout_ms, 600'000);
  EXPECT_EQ(plugin.Find("scan"), nullptr);
}

TEST(Catalog, NamesTheFieldThatIsNotAsItShouldBe) {
  const auto refused = [](const std::function<void(Json&)>& change) {
    Json descriptor = Descriptor();
    change(descriptor);
    return ReadDescriptor(descriptor.dump(), kHash).status();
  };
  const auto wrong = [](const std::string& text) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
  };
  EXPECT_THAT(ReadDescriptor("{", kHash), wrong("no JSON object"));
  EXPECT_THAT(ReadDescriptor(Descriptor().dump(), "short"), wrong("hash has 5 bytes"));
  EXPECT_THAT(refused([](Json& d) { d["name"] = "EDR"; }), wrong("name is \"EDR\"; expected a-z"));
  EXPECT_THAT(refused([](Json& d) { d["actions"] = Json::array(); }), wrong("actions is []"));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0].erase("name"); }), wrong("actions[0].name is missing"));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0]["effect"] = "none"; }),
              wrong("action install: effect is \"none\"; expected read, change or destroy"));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0]["timeout"] = "long"; }), wrong("timeout is \"long\""));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0]["timeout"] = "367d"; }), wrong("at most 366d"));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0]["protected"] = 1; }), wrong("protected is 1"));
  EXPECT_THAT(refused([](Json& d) { d["actions"][0]["params"] = 1; }), wrong("params is 1; expected a JSON Schema"));
  EXPECT_THAT(refused([](Json& d) { d["actions"].push_back(d["actions"][0]); }), wrong("two actions called install"));
}

TEST(Catalog, TakesTheNewestOfEachName) {
  std::vector<v1::BlobInfo> blobs(4);
  for (int i = 0; i < 2; ++i) {
    blobs[i].set_kind("plugin");
    blobs[i].set_name("edr");
    blobs[i].set_sha256(crypto::Sha256(std::to_string(i)));
    blobs[i].set_descriptor_json(Descriptor(i == 0 ? "1.0.0" : "1.1.0").dump());
    blobs[i + 2].set_kind("artifact");
    blobs[i + 2].set_name("edr.deb");
    blobs[i + 2].set_sha256(crypto::Sha256(std::to_string(i)));
  }
  ASSERT_OK_AND_ASSIGN(const Catalog catalog, MakeCatalog(blobs));
  EXPECT_THAT(catalog.PluginNames(), ElementsAre("edr"));
  EXPECT_EQ(catalog.Find("edr")->version, "1.1.0");
  ASSERT_THAT(catalog.artifacts, SizeIs(1));
  EXPECT_EQ(catalog.artifacts[0].sha256(), crypto::Sha256("1"));
  blobs[0].set_descriptor_json("{}");
  EXPECT_THAT(MakeCatalog(blobs), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("plugin edr of the store: the descriptor's name is missing")));
}

}  // namespace
}  // namespace reprise::plan
