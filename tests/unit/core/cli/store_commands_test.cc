// What is brought to the coordinator (inventory, artifacts, plugins) and shown of it.
#include "core/base/text.h"
#include "core/cli/commands/declarations.h"
#include "core/crypto/sha256.h"
#include "tests/support/files.h"
#include "tests/unit/core/cli/fakes.h"

namespace reprise::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<CommandRow> StoreRows() {
  return {{"", "status", "", DeclareStatus},
          {"", "check", "", DeclareCheck},
          {"inventory", "import", "", DeclareInventoryImport},
          {"artifact", "add", "", DeclareArtifactAdd},
          {"artifact", "ls", "", DeclareArtifactLs},
          {"plugin", "add", "", DeclarePluginAdd},
          {"plugin", "sign", "", DeclarePluginSign},
          {"plugin", "ls", "", DeclarePluginLs},
          {"plugin", "show", "", DeclarePluginShow},
          {"plugin", "verify", "", DeclarePluginVerify},
          {"plugin", "new", "", DeclarePluginNew}};
}

struct StoreDesk : Desk {
  StoreDesk() : Desk(StoreRows()) {
    coordinator.Answer("ListBlobs", ops::BlobList());
    coordinator.Answer("ListHosts", ops::HostList());
  }
  std::string Write(const std::string& name, const std::string& content) const {
    EXPECT_OK(WriteFileDurably(scratch / name, content));
    return (scratch / name).string();
  }
};

// ---- status ----

ops::StatusView SomeStatus(const StoreDesk& desk) {
  ops::StatusView view;
  view.set_version("0.1.0");
  view.set_now_ms(kNoon);
  view.set_journal_events(42);
  view.set_journal_head(std::string(64, 'b'));
  view.set_keyring_version(1);
  view.set_keyring_fingerprint(desk.profile.keyring_fingerprint);
  view.set_hosts(3200);
  view.set_agents_connected(3100);
  view.set_you("alice");
  view.add_roles(model::v1::ROLE_ADMIN);
  return view;
}

TEST(Status, ShowsTheCoordinatorInOneLook) {
  StoreDesk desk;
  desk.coordinator.Answer("GetStatus", SomeStatus(desk));
  ASSERT_EQ(desk.Run({"status"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("alice (admin)"), HasSubstr("3200, 3100 connected"), HasSubstr("closed"),
                                HasSubstr("42 events, head bbbb"), Not(HasSubstr("\x1b["))));
  ASSERT_EQ(desk.Run({"-o", "json", "status"}), kExitOk);
  EXPECT_EQ(desk.OutJson()["hosts"], 3200);
  EXPECT_EQ(desk.OutJson()["roles"], Json({"admin"}));
}

TEST(Status, SaysWhenHostsKnowMoreThanTheCoordinator) {
  StoreDesk desk;
  ops::StatusView view = SomeStatus(desk);
  desk.coordinator.Answer("GetStatus", view);
  ASSERT_EQ(desk.Run({"status"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), Not(HasSubstr("older copy")));
  view.set_hosts_ahead(3);
  view.set_ahead_example("ws-001 has keyring version 3 (here 2)");
  desk.coordinator.Answer("GetStatus", view);
  ASSERT_EQ(desk.Run({"-o", "wide", "status"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("3 hosts know more than this coordinator: it was restored from an older copy"),
                                HasSubstr("ws-001 has keyring version 3 (here 2)")));
}

TEST(Status, ShowsAnEmergencyStopInRedWhereAPersonLooksOn) {
  StoreDesk desk;
  ops::StatusView view = SomeStatus(desk);
  view.mutable_stop()->set_active(true);
  view.mutable_stop()->set_by("bob");
  view.mutable_stop()->set_reason("wrong version");
  view.mutable_stop()->set_raised_ms(kNoon - 5000);
  desk.coordinator.Answer("GetStatus", view);
  desk.terminal.watched = true;
  ASSERT_EQ(desk.Run({"status"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("\x1b[31;1mSTOPPED by bob 5 s ago: wrong version"));
}

TEST(Status, RefusesAKeyringThatTheProfileDoesNotPin) {
  StoreDesk desk;
  ops::StatusView view = SomeStatus(desk);
  view.set_keyring_fingerprint(std::string(64, 'e'));
  desk.coordinator.Answer("GetStatus", view);
  EXPECT_EQ(desk.Run({"status"}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("Sign nothing"));
}

TEST(Status, TellsTheShellThatNobodyAnswers) {
  StoreDesk desk;
  desk.coordinator.Fail("GetStatus", absl::UnavailableError("not reached"));
  EXPECT_EQ(desk.Run({"status"}), kExitUnreachable);
  EXPECT_EQ(desk.Out(), "");
}

// ---- check, inventory import ----

constexpr char kDossier[] = R"(apiVersion: reprise/v1
kind: Inventory
metadata: {name: hr1}
hosts:
  - {name: ws-001, class: workstation, zone: dirty, address: 10.1.0.1, labels: {site: nord}}
  - {name: ws-002, class: workstation, zone: dirty}
  - {name: mri-1, class: modality, zone: biomedical}
)";

TEST(Check, SumsUpADossierThatIsRight) {
  StoreDesk desk;
  ASSERT_EQ(desk.Run({"check", desk.Write("hosts.yaml", kDossier)}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("3 hosts"), HasSubstr("workstation  2"), HasSubstr("biomedical  1")));
  EXPECT_THAT(desk.coordinator.Methods(), IsEmpty());
}

TEST(Check, FailsWithThePlaceOfTheError) {
  StoreDesk desk;
  std::string wrong = kDossier;
  wrong.replace(wrong.find("biomedical"), 10, "biomedicl!");
  const std::string file = desk.Write("hosts.yaml", wrong);
  EXPECT_EQ(desk.Run({"check", file}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("hosts.yaml:7:"));
  EXPECT_EQ(desk.Out(), "");
  EXPECT_EQ(desk.Run({"-o", "json", "check", file}), kExitFailure);
  EXPECT_EQ(desk.OutJson()["ok"], false);
  EXPECT_EQ(desk.OutJson()["findings"][0]["line"], 7);
}

TEST(InventoryImport, SendsTheHostsAndShowsWhatChanged) {
  StoreDesk desk;
  ops::ImportInventoryResponse counts;
  counts.set_added(3);
  desk.coordinator.Answer("ImportInventory", counts);
  const std::string file = desk.Write("hosts.yaml", kDossier);
  ASSERT_EQ(desk.Run({"inventory", "import", file}), kExitOk) << desk.Err();
  const auto sent = desk.coordinator.Last<ops::ImportInventoryRequest>("ImportInventory");
  ASSERT_EQ(sent.hosts_size(), 3);
  EXPECT_EQ(sent.source(), "hr1");
  EXPECT_EQ(sent.hosts(0).name(), "ws-001");
  EXPECT_EQ(sent.hosts(0).address(), "10.1.0.1");
  EXPECT_EQ(sent.hosts(0).labels(0).value(), "nord");
  EXPECT_TRUE(sent.hosts(0).agent_expected());
  EXPECT_EQ(sent.hosts(2).asset_class(), model::v1::ASSET_CLASS_MODALITY);
  EXPECT_FALSE(sent.hosts(2).agent_expected());
  EXPECT_THAT(desk.Out(), HasSubstr("ADDED  CHANGED  UNCHANGED  ABSENT\n3      0        0          0"));
  ASSERT_EQ(desk.Run({"-o", "json", "inventory", "import", file}), kExitOk);
  EXPECT_EQ(desk.OutJson(), Json({{"added", 3}, {"changed", 0}, {"unchanged", 0}, {"absent", 0}}));
}

TEST(InventoryImport, AsksBeforeHostsLeaveTheInventory) {
  StoreDesk desk;
  ops::HostList known;
  known.add_hosts()->set_name("srv-9");
  known.mutable_hosts(0)->set_in_inventory(true);
  known.add_hosts()->set_name("ws-001");
  known.mutable_hosts(1)->set_in_inventory(true);
  known.add_hosts()->set_name("gone-long-ago");
  desk.coordinator.Answer("ListHosts", known);
  desk.coordinator.Answer("ImportInventory", ops::ImportInventoryResponse());
  const std::string file = desk.Write("hosts.yaml", kDossier);
  desk.terminal.answers = {"no"};
  EXPECT_EQ(desk.Run({"inventory", "import", file}), kExitFailure);
  EXPECT_THAT(desk.terminal.questions, ElementsAre(HasSubstr("1 host(s) of today's inventory are not in this dossier (srv-9)")));
  EXPECT_THAT(desk.coordinator.Methods(), ElementsAre("ListHosts"));
  EXPECT_EQ(desk.Run({"-y", "inventory", "import", file}), kExitOk) << desk.Err();
}

TEST(InventoryImport, SendsNothingOfADossierWithErrors) {
  StoreDesk desk;
  std::string wrong = kDossier;
  wrong.replace(wrong.find("class: modality"), 15, "class: modalite");
  EXPECT_EQ(desk.Run({"inventory", "import", desk.Write("hosts.yaml", wrong)}), kExitFailure);
  EXPECT_THAT(desk.coordinator.Methods(), IsEmpty());
}

// ---- artifacts ----

TEST(ArtifactAdd, UploadsTheBytesUnderTheirHash) {
  StoreDesk desk;
  // More than one message may carry.
  std::string content;
  for (int i = 0; content.size() < 600'000; ++i) content += std::to_string(i);
  ASSERT_EQ(desk.Run({"-o", "json", "artifact", "add", desk.Write("clamav_1.4.deb", content)}), kExitOk) << desk.Err();
  ASSERT_EQ(desk.coordinator.uploads.size(), 1);
  const auto& upload = desk.coordinator.uploads[0];
  EXPECT_EQ(upload.bytes, content);
  EXPECT_EQ(upload.info.kind(), "artifact");
  EXPECT_EQ(upload.info.name(), "clamav_1.4.deb");
  EXPECT_EQ(upload.info.size(), content.size());
  EXPECT_EQ(upload.info.sha256(), crypto::Sha256(content));
  EXPECT_EQ(desk.OutJson()["blobs"][0]["sha256"], ToHex(crypto::Sha256(content)));
  EXPECT_EQ(desk.Err(), "") << "no bar where nobody looks on";
}

TEST(ArtifactAdd, SendsNothingWhenOneOfTheFilesIsWrong) {
  StoreDesk desk;
  const std::string good = desk.Write("good.deb", "content");
  EXPECT_EQ(desk.Run({"artifact", "add", good, (desk.scratch / "missing.deb").string()}), kExitFailure);
  EXPECT_EQ(desk.Run({"artifact", "add", good, desk.Write("empty.deb", "")}), kExitFailure);
  EXPECT_EQ(desk.Run({"artifact", "add", good, good}), kExitUsage);
  EXPECT_THAT(desk.coordinator.uploads, IsEmpty());
}

TEST(ArtifactAdd, ShowsABarToAPersonAndRemovesIt) {
  StoreDesk desk;
  desk.terminal.watched = true;
  desk.terminal.width = 100;
  ASSERT_EQ(desk.Run({"artifact", "add", desk.Write("a.deb", std::string(300'000, 'x'))}), kExitOk);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("a.deb  [####"), HasSubstr("100 %")));
  EXPECT_TRUE(desk.Err().ends_with("\r\x1b[K"));
}

TEST(ArtifactLs, ListsWhatIsThere) {
  StoreDesk desk;
  ASSERT_EQ(desk.Run({"artifact", "ls"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("No artifacts."));
  ops::BlobList list;
  list.add_blobs()->set_name("a.deb");
  list.mutable_blobs(0)->set_size(1'500'000);
  list.mutable_blobs(0)->set_sha256(std::string(32, '\x11'));
  desk.coordinator.Answer("ListBlobs", list);
  ASSERT_EQ(desk.Run({"artifact", "ls"}), kExitOk);
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("a.deb  1.5 MB  1111")));
  EXPECT_EQ(desk.coordinator.Last<ops::ListBlobsRequest>("ListBlobs").kind(), "artifact");
}

// ---- plugins ----

constexpr char kDescriptor[] = R"({"name":"edr","version":"1.2.0","summary":"Protects workstations","actions":[
  {"name":"install","summary":"Installs the sensor","effect":"change","undoable":true,"idempotent":true,"protected":false,
   "needs":{"root":true,"network":false,"paths":["/opt/edr"]},"timeout":"5m","memory_mb":256,
   "params":{"type":"object","additionalProperties":false,"required":["server"],"properties":{
     "server":{"type":"string","description":"The console's address"},
     "level":{"enum":["watch","block"],"default":"watch"}}}}]})";

ops::BlobList TwoVersions() {
  ops::BlobList list;
  for (const char* version : {"1.1.0", "1.2.0"}) {
    auto& blob = *list.add_blobs();
    blob.set_name("edr");
    blob.set_kind("plugin");
    blob.set_version(version);
    Json descriptor = Json::parse(kDescriptor);
    descriptor["version"] = version;
    blob.set_descriptor_json(descriptor.dump());
  }
  return list;
}

TEST(PluginSign, WritesASignatureThatMinisignsFormatVerifies) {
  StoreDesk desk;
  const std::string file = desk.Write("edr.so", "the library's bytes");
  ASSERT_EQ(desk.Run({"plugin", "sign", file}), kExitOk) << desk.Err();
  EXPECT_OK(desk.people.key("alice").Public().Verify("the library's bytes", *ReadFile(file + ".minisig")));
  EXPECT_THAT(desk.coordinator.Methods(), IsEmpty());
}

TEST(PluginAdd, JudgesASignatureBeforeTheLibrarysCodeRuns) {
  StoreDesk desk;
  const std::string file = desk.Write("edr.so", "no library at all");
  const crypto::SecretKey stranger = crypto::SecretKey::Generate();
  ASSERT_OK(WriteFileDurably(file + ".minisig", stranger.Sign("no library at all", "")));
  EXPECT_EQ(desk.Run({"plugin", "add", file}), kExitRefused);
  EXPECT_THAT(desk.Err(), HasSubstr("no active person of the keyring"));
  // A good signature over other bytes.
  ASSERT_OK(WriteFileDurably(file + ".minisig", desk.people.key("alice").Sign("other bytes", "")));
  EXPECT_EQ(desk.Run({"plugin", "add", file}), kExitRefused);
  EXPECT_THAT(desk.coordinator.uploads, IsEmpty());
}

TEST(PluginAdd, DescribesSignsAndUploadsARealPlugin) {
  setenv("REPRISE_PLUGIN_HOST", (BuildFolder() / "bin" / "reprise-plugin-host").c_str(), 1);
  StoreDesk desk;
  const std::filesystem::path library = BuildFolder() / "plugins" / "mock.so";
  const std::string bytes = *ReadFile(library);
  ASSERT_EQ(desk.Run({"plugin", "add", library.string()}), kExitOk) << desk.Err();
  ASSERT_EQ(desk.coordinator.uploads.size(), 1);
  const auto& upload = desk.coordinator.uploads[0];
  EXPECT_EQ(upload.bytes, bytes);
  EXPECT_EQ(upload.info.name(), "mock");
  EXPECT_EQ(upload.info.kind(), "plugin");
  EXPECT_NE(upload.info.version(), "");
  EXPECT_TRUE(Json::parse(upload.info.descriptor_json())["actions"].is_array());
  EXPECT_OK(desk.people.key("alice").Public().Verify(bytes, upload.info.signature().minisig()));
  EXPECT_THAT(desk.Err(), HasSubstr("mock.so is signed by alice"));
}

TEST(PluginAdd, StoresNothingThatIsNoPlugin) {
  setenv("REPRISE_PLUGIN_HOST", (BuildFolder() / "bin" / "reprise-plugin-host").c_str(), 1);
  StoreDesk desk;
  EXPECT_EQ(desk.Run({"plugin", "add", desk.Write("edr.so", "no library at all")}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("edr.so is no plugin: expected a shared library (.so)"));
  // A library, but of something else.
  EXPECT_EQ(desk.Run({"plugin", "add", "/lib/x86_64-linux-gnu/libz.so.1"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("cannot be loaded as a plugin"));
  EXPECT_THAT(desk.coordinator.uploads, IsEmpty());
}

TEST(PluginLs, NamesWhoseKeySigned) {
  StoreDesk desk;
  ops::BlobList list = TwoVersions();
  list.mutable_blobs(1)->mutable_signature()->set_minisig(desk.people.key("bob").Sign("bytes", ""));
  desk.coordinator.Answer("ListBlobs", list);
  ASSERT_EQ(desk.Run({"plugin", "ls"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("nobody"), HasSubstr("bob")));
}

TEST(PluginShow, TellsTheNewestVersionsActionsAndParameters) {
  StoreDesk desk;
  desk.coordinator.Answer("ListBlobs", TwoVersions());
  ASSERT_EQ(desk.Run({"plugin", "show", "edr"}), kExitOk) << desk.Err();
  EXPECT_THAT(desk.Out(), AllOf(HasSubstr("edr 1.2.0"), HasSubstr("edr.install  change  Installs the sensor"),
                                HasSubstr("can be undone; needs root, /opt/edr; timeout 5m, memory 256 MiB"),
                                HasSubstr("The console's address"), HasSubstr(R"(one of ["watch","block"])")));
  ASSERT_EQ(desk.Run({"plugin", "show", "edr@1.1.0"}), kExitOk);
  EXPECT_THAT(desk.Out(), HasSubstr("edr 1.1.0"));
}

TEST(PluginShow, NamesWhatThereIsInstead) {
  StoreDesk desk;
  desk.coordinator.Answer("ListBlobs", TwoVersions());
  EXPECT_EQ(desk.Run({"plugin", "show", "edrr"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("did you mean edr?"));
  EXPECT_EQ(desk.Run({"plugin", "show", "edr@9"}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("it has 1.1.0, 1.2.0"));
}

TEST(PluginShow, ShowsNoControlCharactersOfADescriptor) {
  StoreDesk desk;
  ops::BlobList list = TwoVersions();
  Json descriptor = Json::parse(kDescriptor);
  descriptor["summary"] = "all good\x1b[2Jnothing to see";
  descriptor["actions"][0]["params"]["properties"]["a\x1b[2Jb"] = {{"type", 7}};
  list.mutable_blobs(1)->set_descriptor_json(descriptor.dump());
  desk.coordinator.Answer("ListBlobs", list);
  ASSERT_EQ(desk.Run({"plugin", "show", "edr"}), kExitOk);
  EXPECT_THAT(desk.Out(), Not(HasSubstr("\x1b")));
}

TEST(PluginVerify, WantsParametersThatAreAJsonObject) {
  StoreDesk desk;
  const std::string file = desk.Write("edr.so", "bytes");
  EXPECT_EQ(desk.Run({"plugin", "verify", file, "--params", "{\"install\": "}), kExitUsage);
  EXPECT_EQ(desk.Run({"plugin", "verify", file, "--params", desk.Write("params.json", "[1]")}), kExitUsage);
  EXPECT_EQ(desk.Run({"plugin", "verify", file, "--params", "no-such-file"}), kExitUsage);
}

TEST(PluginVerify, SaysOfAFileThatItIsNoLibrary) {
  StoreDesk desk;
  EXPECT_EQ(desk.Run({"plugin", "verify", desk.Write("notaplugin.txt", "greetings")}), kExitFailure);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("notaplugin.txt is no plugin: expected a shared library (.so)"), Not(HasSubstr("boost"))));
  EXPECT_EQ(desk.Run({"plugin", "verify", desk.scratch.path()}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("found a folder"));
}

TEST(PluginVerify, NamesTheActionsWhereOneIsMistyped) {
  setenv("REPRISE_PLUGIN_HOST", (BuildFolder() / "bin" / "reprise-plugin-host").c_str(), 1);
  StoreDesk desk;
  const std::string library = BuildFolder() / "plugins" / "mock.so";
  EXPECT_EQ(desk.Run({"plugin", "verify", library, "--params", R"({"greet": {}})"}), kExitFailure);
  EXPECT_THAT(desk.Err(), AllOf(HasSubstr("params: the plugin has no action greet; it has "), HasSubstr("touch")));
}

TEST(PluginNew, WritesAFolderThatIsNamedAfterThePluginAndNeverOverOne) {
  StoreDesk desk;
  const std::filesystem::path folder = desk.scratch / "src";
  ASSERT_EQ(desk.Run({"plugin", "new", "agiletime", "--folder", folder.string()}), kExitOk) << desk.Err();
  EXPECT_TRUE(std::filesystem::exists(folder / "agiletime.cc"));
  EXPECT_THAT(*ReadFile(folder / "CMakeLists.txt"), HasSubstr("add_library(agiletime MODULE agiletime.cc)"));
  EXPECT_EQ(desk.Run({"plugin", "new", "agiletime", "--folder", folder.string()}), kExitFailure);
  EXPECT_THAT(desk.Err(), HasSubstr("is not empty"));
  EXPECT_EQ(desk.Run({"plugin", "new", "AgileTime", "--folder", (desk.scratch / "b").string()}), kExitFailure);
}

}  // namespace
}  // namespace reprise::cli::testing
