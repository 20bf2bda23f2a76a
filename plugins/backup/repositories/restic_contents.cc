#include "plugins/backup/repositories/restic_contents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/backup/judge/words.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

using nlohmann::json;

constexpr size_t kUnpackedMax = size_t{512} << 20;
constexpr uint64_t kBlobMax = uint64_t{128} << 20;

// Version 2 repositories pack what they write: the first byte says so.
std::optional<json> OpenJson(const ResticKey& key, std::string_view sealed) {
  auto text = key.Decrypt(sealed);
  if (!text || text->empty()) return std::nullopt;
  if ((*text)[0] == 2) text = UnpackZstd(std::string_view(*text).substr(1), kUnpackedMax);
  if (!text) return std::nullopt;
  auto value = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? std::nullopt : std::optional(std::move(value));
}

std::string Text(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

uint64_t Number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

const json& List(const json& object, const char* name) {
  static const json kNone = json::array();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_array() ? *found : kNone;
}

}  // namespace

ResticContents::ResticContents(const ResticKey& key, ReadPack read, Complain damaged, Complain missing)
    : key_(key), read_(std::move(read)), damaged_(std::move(damaged)), missing_(std::move(missing)) {}

void ResticContents::AddIndex(const std::string& name, std::string_view sealed) {
  const auto index = OpenJson(key_, sealed);
  if (!index) return damaged_(name, "an index sealed with the repository's key", "a MAC or text that does not agree");
  for (const json& pack : List(*index, "packs")) {
    const std::string id = Text(pack, "id");
    packs_.insert(id);
    for (const json& entry : List(pack, "blobs")) {
      Blob blob{id, Number(entry, "offset"), Number(entry, "length"), Number(entry, "uncompressed_length") > 0};
      pack_sizes_[id] = std::max(pack_sizes_[id], blob.offset + blob.length);
      blobs_.emplace(Text(entry, "id"), std::move(blob));
    }
  }
}

void ResticContents::AddSnapshot(const std::string& name, std::string_view sealed) {
  const auto snapshot = OpenJson(key_, sealed);
  const std::string tree = snapshot ? Text(*snapshot, "tree") : "";
  if (tree.empty())
    return damaged_(name, "a snapshot sealed with the repository's key", "a MAC or text that does not agree");
  roots_.push_back(tree);
}

uint64_t ResticContents::PackSize(const std::string& pack) const {
  const auto found = pack_sizes_.find(pack);
  return found == pack_sizes_.end() ? 0 : found->second;
}

ResticContents::Blob* ResticContents::Use(const std::string& id, const std::string& by) {
  const auto found = blobs_.find(id);
  if (found == blobs_.end()) {
    missing_(Words("blob ", id.substr(0, 16)), Words("needed by tree ", by.substr(0, 16)), "in no index");
    return nullptr;
  }
  found->second.used = true;
  return &found->second;
}

bool ResticContents::Tree(const std::string& id, std::vector<std::string>& trees) {
  const Blob* blob = Use(id, id);
  if (blob == nullptr || blob->length > kBlobMax) return false;
  const std::string sealed = read_(blob->pack, blob->offset, blob->length);
  if (sealed.empty()) {
    missing_(blob->pack, Words("tree ", id.substr(0, 16), " in this pack"), "no such pack");
    return false;
  }
  auto text = key_.Decrypt(sealed);
  if (text && blob->packed) text = UnpackZstd(*text, kUnpackedMax);
  if (!text || sdk::Sha256OfText(*text) != id) {
    damaged_(blob->pack, Words("tree ", id.substr(0, 16), " at ", blob->offset), "bytes that do not open");
    return false;
  }
  const json tree = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  bool whole = tree.is_object();
  for (const json& node : List(tree, "nodes")) {
    const std::string below = Text(node, "subtree");
    if (!below.empty()) trees.push_back(below);
    for (const json& content : List(node, "content")) {
      whole = content.is_string() && Use(content.get<std::string>(), id) != nullptr && whole;
    }
  }
  return whole;
}

bool ResticContents::Walk() {
  std::vector<std::string> trees = roots_;
  bool whole = true;
  while (!trees.empty()) {
    const std::string id = std::move(trees.back());
    trees.pop_back();
    if (seen_trees_.insert(id).second) whole = Tree(id, trees) && whole;
  }
  return whole && std::all_of(blobs_.begin(), blobs_.end(), [](const auto& blob) { return blob.second.used; });
}

}  // namespace reprise::backup
