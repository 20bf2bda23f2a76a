// The schemas for editors say what the readers take: same keys, same words, and the samples are right by both.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/plan/schema_check.h"
#include "tests/unit/core/plan/documents.h"

namespace reprise::plan {
namespace {

namespace fs = std::filesystem;
using testing::Documents;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

// The folder with docs/schema in it: above wherever the test runs. Empty: not found.
fs::path Root() {
  for (fs::path folder = fs::current_path(); folder != folder.root_path(); folder = folder.parent_path()) {
    if (fs::exists(folder / "docs" / "schema" / "workflow.schema.json")) return folder;
  }
  return {};
}

std::string Read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Schemas : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(Root().empty()) << "run this from inside the project's tree";
    for (const char* kind : {"Inventory", "Workflow", "Backups"}) {
      const std::string file = absl::StrCat(absl::AsciiStrToLower(kind), ".schema.json");
      schemas[kind] = Json::parse(Read(Root() / "docs" / "schema" / file));
      auto check = SchemaCheck::Make(schemas[kind]);
      ASSERT_OK(check);
      checks[kind] = *std::move(check);
    }
  }

  // What is wrong with each document of a text, by its kind's schema.
  std::vector<std::string> WrongIn(const std::string& text) {
    Diagnostics diagnostics;
    YamlReader reader(diagnostics.AddSource("x", text), diagnostics);
    for (YamlReader::Event event = reader.Next(); event.kind != YamlReader::Kind::kEnd; event = reader.Next()) {
      if (event.kind != YamlReader::Kind::kDocumentStart) continue;
      const auto node = ReadNode(reader, reader.Next(), diagnostics);
      if (!node || node->IsNull()) continue;
      const Json json = JsonOf(*node, diagnostics);
      const auto check = checks.find(json.value("kind", ""));
      if (check == checks.end()) {
        diagnostics.Error(node->place, "of no kind that there is");
      } else {
        check->second->Check(json, &*node, node->place, "", &diagnostics);
      }
    }
    return testing::Lines(diagnostics);
  }

  std::map<std::string, Json> schemas;
  std::map<std::string, std::unique_ptr<SchemaCheck>> checks;
};

// The keys that a reader asks for, as it lists them when it meets the key "zzz".
std::set<std::string> KeysOfReader(const std::string& text) {
  for (const Finding& finding : Documents(text, "").diagnostics.Findings()) {
    if (finding.message.find("\"zzz\"") == std::string::npos) continue;
    std::string_view keys = finding.expected;
    if (keys.starts_with("one of ")) keys.remove_prefix(7);
    return absl::StrSplit(std::string(keys), ", ");
  }
  return {};
}

TEST_F(Schemas, HaveTheKeysOfTheReaders) {
  const std::string workflow = testing::kHead;
  const auto stage = [](const std::string& inside) {
    return testing::OneStage("      - {name: x, uses: a.b}\n", inside);
  };
  const auto step = [](const std::string& inside) {
    return testing::OneStage("      - {name: x, uses: a.b, " + inside + "}\n");
  };
  const std::string inventory = "apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: x}\n";
  const std::string backups = "apiVersion: reprise/v1\nkind: Backups\nmetadata: {name: x}\n";
  const std::tuple<const char*, const char*, std::string> cases[] = {
      {"Inventory", "", inventory + "zzz: 1\n"},
      {"Inventory", "/properties/metadata", "apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: x, zzz: 1}\n"},
      {"Inventory", "/definitions/host", inventory + "hosts: [{zzz: 1}]\n"},
      {"Inventory", "/definitions/group", inventory + "groups: [{zzz: 1}]\n"},
      {"Workflow", "", workflow + "zzz: 1\n"},
      {"Workflow", "/definitions/parameter", workflow + "parameters: [{zzz: 1}]\n"},
      {"Workflow", "/definitions/limits", workflow + "limits: {zzz: 1}\n"},
      {"Workflow", "/definitions/failures", workflow + "limits: {failures: {zzz: 1}}\n"},
      {"Workflow", "/definitions/stage", stage("    zzz: 1\n")},
      {"Workflow", "/definitions/allow", stage("    allow: {zzz: 1}\n")},
      {"Workflow", "/definitions/gate", stage("    gate: {zzz: 1}\n")},
      {"Workflow", "/definitions/waves", stage("    waves: {zzz: 1}\n")},
      {"Workflow", "/definitions/requirement", stage("    requires: [{zzz: 1}]\n")},
      {"Backups", "", backups + "zzz: 1\n"},
      {"Backups", "/properties/compromise", backups + "compromise: {zzz: 1}\n"},
      {"Backups", "/definitions/set", backups + "sets: [{zzz: 1}]\n"},
      {"Backups", "/definitions/concession", backups + "concessions: [{zzz: 1}]\n"},
      {"Workflow", "/definitions/step", step("zzz: 1")},
      {"Workflow", "/definitions/backoff", step("backoff: {zzz: 1}")},
  };
  for (const auto& [kind, where, text] : cases) {
    const Json& properties = schemas[kind].at(Json::json_pointer(where)).at("properties");
    std::set<std::string> keys;
    for (const auto& [key, value] : properties.items()) {
      keys.insert(key);
      EXPECT_TRUE(value.contains("description") || value.contains("$ref"))
          << kind << where << ": " << key << " is not described";
    }
    EXPECT_EQ(keys, KeysOfReader(text)) << kind << where;
  }
}

TEST_F(Schemas, HaveTheWordsOfTheVocabulary) {
  const auto words = [this](const char* kind, const char* where) {
    return schemas[kind].at(Json::json_pointer(where)).at("enum").get<std::vector<std::string>>();
  };
  for (const char* item : {"host", "group"}) {
    const std::string at = absl::StrCat("/definitions/", item, "/properties/");
    EXPECT_EQ(words("Inventory", (at + "class").c_str()), model::NamesOf<model::v1::AssetClass>());
    EXPECT_EQ(words("Inventory", (at + "zone").c_str()), model::NamesOf<model::v1::Zone>());
    EXPECT_EQ(words("Inventory", (at + "trust").c_str()), model::NamesOf<model::v1::TrustState>());
  }
  EXPECT_EQ(words("Workflow", "/definitions/allow/properties/zones/anyOf/0"), model::NamesOf<model::v1::Zone>());
  EXPECT_EQ(words("Workflow", "/definitions/allow/properties/trust/anyOf/0"), model::NamesOf<model::v1::TrustState>());
  EXPECT_EQ(words("Workflow", "/definitions/allow/properties/classes/anyOf/0"),
            model::NamesOf<model::v1::AssetClass>());
  EXPECT_EQ(words("Workflow", "/definitions/stage/properties/unreachable"), model::NamesOf<model::v1::Unreachable>());
  EXPECT_EQ(words("Workflow", "/definitions/step/properties/on_failure"), model::NamesOf<model::v1::OnFailure>());
  EXPECT_EQ(words("Backups", "/definitions/concession/properties/allows/anyOf/0"), model::NamesOf<model::v1::Allowance>());
}

TEST_F(Schemas, TakeTheSamplesThatTheReadersTake) {
  std::vector<std::pair<std::string, std::string>> samples = {
      {"inline", std::string(testing::kInventory) + "---\n" + testing::OneStage()}};
  const std::string readme = Read(Root() / "docs" / "schema" / "README.md");
  std::string block;
  bool inside = false;
  std::istringstream lines(readme);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      if (inside && block.find("kind:") != std::string::npos) samples.emplace_back("README.md", block);
      block.clear();
      inside = !inside;
    } else if (inside) {
      block += line + "\n";
    }
  }
  EXPECT_EQ(samples.size(), 4u) << "the README has one sample of each kind";
  const fs::path examples = Root() / "examples" / "hr1-mini";
  if (fs::exists(examples)) {
    for (const auto& entry : fs::directory_iterator(examples)) {
      if (entry.path().extension() == ".yaml") samples.emplace_back(entry.path().filename(), Read(entry.path()));
    }
  }
  for (const auto& [name, text] : samples) {
    EXPECT_THAT(Documents(text, "").Found(), IsEmpty()) << name;
    EXPECT_THAT(WrongIn(text), IsEmpty()) << name;
  }
}

TEST_F(Schemas, RefuseSlipsWhileOneTypes) {
  for (const std::string& text : {
           testing::OneStage("      - {name: x, uses: edr.install, on_failur: stop}\n"),
           testing::OneStage("      - {name: x, uses: install}\n"),
           testing::OneStage("      - {name: x, uses: edr.install, timeout: 5}\n"),
           testing::OneStage("      - {name: x, uses: edr.install}\n", "    unreachable: skip\n"),
           testing::OneStage("      - {name: x, uses: edr.install}\n", "    waves: {canary: 200%}\n"),
           testing::OneStage("      - {name: x, uses: edr.install}\n", "    gate: {quorum: 1}\n"),
           std::string("apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: x}\n"),
           std::string("apiVersion: reprise/v1\nkind: Inventory\nmetadata: {name: x}\nhosts: [{name: a, class: "
                       "toaster, zone: dirty}]\n"),
       }) {
    EXPECT_THAT(WrongIn(text), Not(IsEmpty())) << text;
    EXPECT_THAT(Documents(text, "").Found(), Not(IsEmpty())) << text;
  }
}

}  // namespace
}  // namespace reprise::plan
