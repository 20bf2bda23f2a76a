#include "core/plan/dossier.h"

#include <rapidcheck.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

using testing::Documents;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHead;
using testing::kInventory;
using testing::Lines;
using ::testing::SizeIs;

std::vector<std::string> Found(const std::string& text) {
  return Documents(text, "").Found();
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "reprise-dossier-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string RenderedDossier(const std::filesystem::path& path) {
  Diagnostics diagnostics;
  ReadDossier(path, diagnostics);
  return diagnostics.Render();
}

TEST(Dossier, ReadsHostsOneByOneAndInGroups) {
  const Documents documents("", kInventory);
  EXPECT_THAT(documents.Found(), IsEmpty());
  const Inventory& inventory = documents.dossier.inventory;
  EXPECT_EQ(inventory.name, "hr1");
  ASSERT_THAT(inventory.hosts, SizeIs(14));
  EXPECT_EQ(inventory.hosts[0].address, "10.0.0.1");
  EXPECT_EQ(inventory.hosts[4].name, "ws-01");
  EXPECT_EQ(*inventory.Find("ws-10")->Label("row"), "a");
  EXPECT_FALSE(inventory.Find("ct-1")->agent);
  EXPECT_TRUE(inventory.Find("pump-1")->agent);
}

TEST(Dossier, ReadsAFolderByNameAndSeveralDocumentsInAFile) {
  const Folder folder;
  folder.Write("b.yml", testing::OneStage());
  folder.Write("a.yaml", absl::StrCat(kInventory, "---\n# only a comment\n---\n", kHead,
                                      "stages: [{name: s, targets: all, steps: [{name: x, uses: a.b}]}]\n"));
  folder.Write("notes.txt", "not: [read");
  Diagnostics diagnostics;
  const Dossier dossier = ReadDossier(folder.path(), diagnostics);
  EXPECT_THAT(diagnostics.Render(), HasSubstr("b.yml:3:18: error: a second workflow is called edr"));
  EXPECT_THAT(diagnostics.Render(), HasSubstr("a.yaml:16:18"));
  EXPECT_THAT(dossier.workflows, SizeIs(2));
  EXPECT_THAT(dossier.inventory.hosts, SizeIs(14));
}

TEST(Dossier, SaysWhatIsMissing) {
  const Folder folder;
  EXPECT_THAT(RenderedDossier(folder.path() / "nowhere"), HasSubstr("nowhere: error: there is no such file or folder"));
  EXPECT_THAT(RenderedDossier(folder.path()), HasSubstr("error: there are no documents here"));
  folder.Write("w.yaml", testing::OneStage());
  EXPECT_THAT(RenderedDossier(folder.path()), HasSubstr("error: there is no inventory here"));
  folder.Write("i.yaml", "apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: hr1}\nhosts: []\n");
  EXPECT_THAT(RenderedDossier(folder.path()), HasSubstr("error: the inventory declares no host"));
}

TEST(Dossier, PassesOverNothingThatHasTheNameOfADocument) {
  const Folder folder;
  folder.Write("i.yaml", kInventory);
  ASSERT_EQ(RenderedDossier(folder.path()), "");
  std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "backups.yaml");
  std::filesystem::create_directory(folder.path() / "hosts.yml");
  ASSERT_EQ(mkfifo((folder.path() / "more.yaml").c_str(), 0600), 0);
  const std::string rendered = RenderedDossier(folder.path());
  EXPECT_THAT(rendered, HasSubstr("backups.yaml: error: a symbolic link stands here that leads nowhere"));
  EXPECT_THAT(rendered, HasSubstr("hosts.yml: error: a folder stands here"));
  EXPECT_THAT(rendered, HasSubstr("more.yaml: error: a pipe, socket or device stands here"));
  EXPECT_THAT(rendered, HasSubstr("a file with documents"));
}

TEST(Dossier, ReadsADocumentThroughASymbolicLink) {
  const Folder folder, elsewhere;
  elsewhere.Write("inventory", kInventory);
  std::filesystem::create_symlink(elsewhere.path() / "inventory", folder.path() / "i.yaml");
  EXPECT_EQ(RenderedDossier(folder.path()), "");
}

TEST(Dossier, RefusesAFileThatIsTooLargeWithoutReadingIt) {
  const Folder folder;
  folder.Write("big.yaml", "");
  std::filesystem::resize_file(folder.path() / "big.yaml", (uintmax_t{256} << 20) + 1);
  EXPECT_THAT(RenderedDossier(folder.path() / "big.yaml"), HasSubstr("error: the file has 268435457 bytes"));
}

TEST(Dossier, NamesKindAndVersionThatWereProbablyMeant) {
  EXPECT_THAT(Found("apiVersion: reprise/v2\nkind: workflow\n"),
              ElementsAre("1:13 apiVersion is \"reprise/v2\" = expected reprise/v1 = nearest reprise/v1",
                          "2:7 kind is \"workflow\" = expected one of Inventory, Workflow, Backups = nearest Workflow"));
  EXPECT_THAT(Found("kind: Inventory\nmetadata: {name: x}\nhosts: []\n"),
              ElementsAre("1:1 an inventory has no \"apiVersion\" = expected a value for \"apiVersion\""));
  EXPECT_THAT(Found("- a\n- b\n"),
              ElementsAre("1:1 a document is a list = expected a map: apiVersion, kind, metadata, …"));
}

TEST(Dossier, FindsUnknownAndDoubledKeysAtEveryDepth) {
  EXPECT_THAT(
      Found("apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: x, titel: y}\nhost: []\nhosts:\n"
            "  - {name: a, class: server, zone: dirty, zone: bubble}\n  - {name: b, clas: server, zone: dirty}\nhosts: "
            "[]\n"),
      ElementsAre(
          "3:21 the key \"titel\" is unknown in metadata = expected one of name, title = nearest title",
          "4:1 the key \"host\" is unknown in an inventory = expected one of apiVersion, kind, metadata, hosts, groups "
          "= nearest hosts",
          "6:43 the key \"zone\" stands here a second time",
          "7:5 a host has no \"class\" = expected a value for \"class\"",
          "7:15 the key \"clas\" is unknown in a host = expected one of name, class, zone, trust, agent, labels, "
          "address = nearest class",
          "8:1 the key \"hosts\" stands here a second time"));
}

TEST(Dossier, FindsAHostThatIsDeclaredTwice) {
  EXPECT_THAT(Documents("apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: more}\nhosts:\n"
                        "  - {name: ws-03, class: server, zone: dirty}\n")
                  .Found(),
              ElementsAre("5:12 the host ws-03 is declared a second time"));
}

TEST(Dossier, ReadsHostsWhateverTheOrderOfKeys) {
  const Documents documents(
      "hosts: [{name: a, class: server, zone: dirty}]\nkind: Inventory\nmetadata: {name: x}\napiVersion: reprise/v1\n",
      "");
  EXPECT_THAT(documents.Found(), IsEmpty());
  EXPECT_THAT(documents.dossier.inventory.hosts, SizeIs(1));
}

TEST(Dossier, RefusesWhatMakesADocumentMeanSomethingElse) {
  EXPECT_THAT(Found("a: &x 1\nb: *x\n"), ElementsAre(HasSubstr("an anchor (&) stands here")));
  EXPECT_THAT(Found("a: !!str 1\n"), ElementsAre(HasSubstr("a tag (!) stands here")));
  EXPECT_THAT(Found("a: 1\n---\n%TAG ! x\n"), ElementsAre("3:1 a directive (%) stands here"));
  EXPECT_THAT(Found("a: é\xff\n"),
              ElementsAre("1:5 a character stands here that cannot be seen, or a byte that is no UTF-8"));
  EXPECT_THAT(Found("a:\tb # \u202e\n"), ElementsAre(HasSubstr("1:8 a character stands here that cannot be seen")));
  EXPECT_THAT(Found(std::string("a: \0", 4)), ElementsAre(HasSubstr("a NUL byte at offset 3")));
  EXPECT_THAT(Found(std::string(100, '[')), ElementsAre(HasSubstr("nested more than 32 deep")));
}

// Any bytes: nothing but findings comes of them.
TEST(Dossier, BearsAnyBytes) {
  rc::check("bytes", [] {
    const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    Documents documents(bytes, "");
    RC_ASSERT(documents.dossier.inventory.hosts.empty());
  });
  const std::string whole = absl::StrCat(
      kInventory, "---\n",
      testing::OneStage("      - {name: install, uses: edr.install, with: {version: \"${params.v}\"}}\n",
                        "    waves: {canary: 1, sizes: [10%, rest]}\n", "parameters: [{name: v, default: '1'}]\n"));
  EXPECT_THAT(Found(whole), IsEmpty());
  rc::check("a document with bytes changed, cut or doubled", [&whole] {
    std::string bytes = whole;
    const int changes = *rc::gen::inRange(1, 8);
    for (int i = 0; i < changes; ++i) {
      const size_t at = *rc::gen::inRange<size_t>(0, bytes.size());
      const size_t length = *rc::gen::inRange<size_t>(0, 12);
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          bytes[at] = static_cast<char>(*rc::gen::inRange(0, 256));
          break;
        case 1:
          bytes.erase(at, length);
          break;
        default:
          bytes.insert(at, bytes.substr(at, length));
      }
      if (bytes.empty()) bytes = "-";
    }
    Documents documents(bytes, "");
    if (documents.diagnostics.ok() && !documents.dossier.workflows.empty() &&
        !documents.dossier.inventory.hosts.empty())
      documents.Compile();
    documents.diagnostics.Render();
  });
}

}  // namespace
}  // namespace reprise::plan
