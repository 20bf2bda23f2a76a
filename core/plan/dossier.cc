#include "core/plan/dossier.h"

#include <algorithm>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/files.h"
#include "core/crypto/utf8.h"
#include "core/plan/fields.h"

namespace reprise::plan {
namespace {

namespace fs = std::filesystem;
using Kind = YamlReader::Kind;

constexpr uintmax_t kFileBytesMax = uintmax_t{256} << 20;
constexpr size_t kTitleBytesMax = 200;
constexpr char kInventory[] = "Inventory";
constexpr char kWorkflow[] = "Workflow";
constexpr char kBackups[] = "Backups";

// `hosts:` or `groups:`, item by item: only what is read of an item is kept, never the tree of all.
bool StreamItems(YamlReader& reader, const YamlReader::Event& first, const NodeEntry& entry, Inventory& inventory,
                 Diagnostics& diagnostics) {
  if (first.kind != Kind::kListStart) {
    const auto node = ReadNode(reader, first, diagnostics);
    if (node && !node->IsNull()) {
      diagnostics
          .Error(node->place.line == 0 ? entry.key_place : node->place,
                 absl::StrCat(entry.key, " is ", node->Describe()))
          .Expected(absl::StrCat("a list of ", entry.key));
    }
    return node.has_value();
  }
  for (;;) {
    const YamlReader::Event event = reader.Next();
    if (event.kind == Kind::kListEnd) return true;
    auto item = ReadNode(reader, event, diagnostics);
    if (!item) return false;
    if (item->place.line == 0) item->place = entry.key_place;
    entry.key == "hosts" ? ReadHost(*item, inventory, diagnostics) : ReadGroup(*item, inventory, diagnostics);
  }
}

// A document's map. The hosts are read on the way; in their place stands an empty list. Nullopt: no more can be read.
std::optional<Node> ReadTop(YamlReader& reader, const YamlReader::Event& first, Inventory& inventory,
                            Diagnostics& diagnostics) {
  Node top;
  top.kind = Node::Kind::kMap;
  top.place = first.place;
  for (;;) {
    const YamlReader::Event event = reader.Next();
    if (event.kind == Kind::kMapEnd) return top;
    if (event.kind == Kind::kEnd) return std::nullopt;
    NodeEntry entry{.key = std::string(event.text), .key_place = event.place, .value = {}};
    const bool is_text = event.kind == Kind::kScalar;
    if (!is_text) {
      diagnostics.Error(event.place, "a key is a list or a map").Expected("a text");
      if (!ReadNode(reader, event, diagnostics)) return std::nullopt;
    }
    const NodeEntry* before = is_text ? top.Find(entry.key) : nullptr;
    if (before != nullptr) {
      diagnostics.Error(entry.key_place, absl::StrCat("the key \"", entry.key, "\" stands here a second time"))
          .Hint(absl::StrCat("the first is in line ", before->key_place.line));
    }
    const NodeEntry* kind = top.Find("kind");
    const bool hosts =
        (entry.key == "hosts" || entry.key == "groups") && (kind == nullptr || kind->value.text == kInventory);
    const YamlReader::Event value = reader.Next();
    if (is_text && hosts && before == nullptr) {
      entry.value.kind = Node::Kind::kList;
      entry.value.place = value.place;
      if (!StreamItems(reader, value, entry, inventory, diagnostics)) return std::nullopt;
    } else {
      auto node = ReadNode(reader, value, diagnostics);
      if (!node) return std::nullopt;
      if (node->place.line == 0) node->place = entry.key_place;
      entry.value = *std::move(node);
    }
    if (is_text && before == nullptr) top.entries.push_back(std::move(entry));
  }
}

struct Metadata {
  Placed name;
  std::string title;
};

Metadata ReadMetadata(Fields& fields, Diagnostics& diagnostics) {
  Metadata metadata;
  const Node* node = fields.Find("metadata", Need::kRequired);
  if (node == nullptr) return metadata;
  Fields inner(*node, "metadata", diagnostics);
  metadata.name = inner.Name("name", Need::kRequired);
  const Placed title = inner.Text("title");
  inner.Done();
  if (title.text.size() > kTitleBytesMax || crypto::FindUnplain(title.text) != std::string_view::npos) {
    diagnostics.Error(title.place, "the title is too long or holds control characters")
        .Expected(absl::StrCat("one line of at most ", kTitleBytesMax, " bytes"));
  } else {
    metadata.title = title.text;
  }
  return metadata;
}

void ReadDocument(const Node& top, Dossier& dossier, Diagnostics& diagnostics) {
  // What is neither is not searched for further slips: every key would be one.
  const NodeEntry* said = top.Find("kind");
  const std::string kind = said == nullptr ? "" : said->value.text;
  const std::vector<std::string> kinds = {kInventory, kWorkflow, kBackups};
  Fields fields(top,
                kind == kInventory  ? "an inventory"
                : kind == kWorkflow ? "a workflow"
                : kind == kBackups  ? "a declaration of backups"
                                    : "a document",
                diagnostics);
  const Placed version = fields.Text("apiVersion", Need::kRequired);
  if (!version.text.empty() && version.text != kApiVersion) {
    diagnostics.Error(version.place, absl::StrCat("apiVersion is \"", version.text, "\""))
        .Expected(kApiVersion)
        .Nearest(version.text, {kApiVersion});
  }
  const Placed word = fields.Text("kind", Need::kRequired);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    if (word.text.empty()) return;
    // "inventory" is as good as the word itself, to guess by.
    std::string capital = absl::AsciiStrToLower(word.text);
    capital[0] = absl::ascii_toupper(capital[0]);
    diagnostics.Error(word.place, absl::StrCat("kind is \"", word.text, "\""))
        .ExpectedOneOf(kinds)
        .Nearest(capital, kinds);
    return;
  }
  Metadata metadata = ReadMetadata(fields, diagnostics);
  if (kind == kInventory) {
    const bool some = fields.Find("hosts") != nullptr;
    if (fields.Find("groups") == nullptr && !some) {
      diagnostics.Error(top.place, "the inventory has neither hosts nor groups").Expected("hosts, groups, or both");
    }
    fields.Done();
    if (!dossier.inventory.name.empty()) return;
    dossier.inventory.name = metadata.name.text;
    dossier.inventory.title = metadata.title;
    return;
  }
  if (kind == kBackups) return ReadBackups(fields, dossier.backups, diagnostics);
  Workflow workflow = ReadWorkflow(fields, diagnostics);
  workflow.name = metadata.name.text;
  workflow.title = metadata.title;
  if (!workflow.name.empty()) workflow.place = metadata.name.place;
  if (const Workflow* first = dossier.FindWorkflow(workflow.name); first != nullptr && !workflow.name.empty()) {
    diagnostics.Error(workflow.place, absl::StrCat("a second workflow is called ", workflow.name))
        .Hint(absl::StrCat("the first is at ", diagnostics.NameOf(first->place)));
  }
  dossier.workflows.push_back(std::move(workflow));
}

Place Whole(const fs::path& path, Diagnostics& diagnostics) {
  return {.source = diagnostics.AddSource(path.string(), ""), .line = 0, .column = 0, .length = 1};
}

void ReadOneFile(const fs::path& path, Dossier& dossier, Diagnostics& diagnostics) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (!error && size > kFileBytesMax) {
    diagnostics.Error(Whole(path, diagnostics), absl::StrCat("the file has ", size, " bytes"))
        .Expected(absl::StrCat("at most ", kFileBytesMax))
        .Hint("split it: a dossier may hold several Inventory documents");
    return;
  }
  auto bytes = ReadFile(path);
  if (!bytes.ok()) {
    diagnostics.Error(Whole(path, diagnostics),
                      absl::StrCat("cannot be read: ", std::string(bytes.status().message())));
    return;
  }
  ReadDocuments(diagnostics.AddSource(path.string(), *std::move(bytes)), dossier, diagnostics);
}

// What stands here by the name of a document and is none must not be passed over: a person believes that it was read.
const char* WhyNoFile(const fs::path& path) {
  std::error_code error;
  switch (fs::status(path, error).type()) {
    case fs::file_type::regular:
      return nullptr;
    case fs::file_type::directory:
      return "a folder stands here by the name of a document";
    case fs::file_type::not_found:
      return "a symbolic link stands here that leads nowhere";
    case fs::file_type::fifo:
    case fs::file_type::socket:
    case fs::file_type::character:
    case fs::file_type::block:
      return "a pipe, socket or device stands here by the name of a document";
    default:
      return "it cannot be seen what stands here";
  }
}

// Sorted by name, so that two readings give the same order.
std::vector<fs::path> FilesOf(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    const bool yaml = path.extension() == ".yaml" || path.extension() == ".yml";
    if (yaml && !path.filename().string().starts_with('.')) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

const Workflow* Dossier::FindWorkflow(std::string_view name) const {
  for (const Workflow& workflow : workflows) {
    if (workflow.name == name) return &workflow;
  }
  return nullptr;
}

void ReadDocuments(uint32_t source, Dossier& dossier, Diagnostics& diagnostics) {
  YamlReader reader(source, diagnostics);
  for (;;) {
    YamlReader::Event event = reader.Next();
    if (event.kind == Kind::kEnd) return;
    if (event.kind != Kind::kDocumentStart) continue;
    event = reader.Next();
    if (event.kind == Kind::kMapStart) {
      const auto top = ReadTop(reader, event, dossier.inventory, diagnostics);
      if (!top) return;
      ReadDocument(*top, dossier, diagnostics);
      continue;
    }
    if (event.kind == Kind::kEnd) return;
    const Place place = event.place;
    const auto node = ReadNode(reader, event, diagnostics);
    if (!node) return;
    if (node->IsNull()) continue;  // Only comments between two "---".
    diagnostics.Error(place, absl::StrCat("a document is ", node->Describe()))
        .Expected("a map: apiVersion, kind, metadata, …");
  }
}

Dossier ReadDossier(const std::filesystem::path& path, Diagnostics& diagnostics) {
  Dossier dossier;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    diagnostics.Error(Whole(path, diagnostics), "there is no such file or folder")
        .Expected("a dossier: a folder of *.yaml files, or one such file");
    return dossier;
  }
  if (!fs::is_directory(status)) {
    ReadOneFile(path, dossier, diagnostics);
  } else {
    const std::vector<fs::path> files = FilesOf(path, error);
    if (error) {
      diagnostics.Error(Whole(path, diagnostics), absl::StrCat("the folder cannot be read: ", error.message()));
      return dossier;
    }
    for (const fs::path& file : files) {
      if (const char* why = WhyNoFile(file)) {
        diagnostics.Error(Whole(file, diagnostics), why)
            .Expected("a file with documents")
            .Hint("give it another name, or move it away; what lies in sub-folders is not read");
        continue;
      }
      ReadOneFile(file, dossier, diagnostics);
    }
  }
  // After other errors these would only be their echo.
  if (!diagnostics.ok()) return dossier;
  const bool no_inventory = dossier.inventory.hosts.empty() && dossier.inventory.name.empty();
  if (no_inventory && dossier.workflows.empty()) {
    diagnostics.Error(Whole(path, diagnostics), "there are no documents here")
        .Expected("*.yaml files with documents of kind Inventory, Workflow and Backups");
  } else if (dossier.inventory.hosts.empty()) {
    diagnostics
        .Error(Whole(path, diagnostics), no_inventory ? "there is no inventory here" : "the inventory declares no host")
        .Expected("a document of kind Inventory with hosts")
        .Hint("percentages need to know of how many");
  }
  return dossier;
}

}  // namespace reprise::plan
