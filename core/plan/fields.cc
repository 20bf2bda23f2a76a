#include "core/plan/fields.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::plan {
namespace {

constexpr char kNameExpected[] = "a-z, 0-9, '-' and '.', at most 64, beginning with a letter or digit";

}  // namespace

Fields::Fields(const Node& node, std::string what, Diagnostics& diagnostics)
    : node_(node), what_(std::move(what)), diagnostics_(diagnostics) {
  if (node.kind != Node::Kind::kMap) {
    diagnostics.Error(node.place, absl::StrCat(what_, " is ", node.Describe())).Expected("a map of keys and values");
  }
}

const Node* Fields::Find(std::string_view key, Need need) {
  known_.emplace_back(key);
  if (const NodeEntry* entry = node_.Find(key); entry != nullptr && !entry->value.IsNull()) return &entry->value;
  if (need == Need::kRequired && node_.kind == Node::Kind::kMap) {
    diagnostics_.Error(node_.place, absl::StrCat(what_, " has no \"", std::string(key), "\""))
        .Expected(absl::StrCat("a value for \"", std::string(key), "\""));
  }
  return nullptr;
}

const Node* Fields::FindScalar(std::string_view key, Need need, std::string_view expected) {
  const Node* node = Find(key, need);
  if (node == nullptr || node->kind == Node::Kind::kScalar) return node;
  diagnostics_.Error(node->place, absl::StrCat(std::string(key), " is ", node->Describe())).Expected(std::string(expected));
  return nullptr;
}

Placed Fields::Text(std::string_view key, Need need) {
  const Node* node = FindScalar(key, need, "a text");
  if (node == nullptr) return {.text = {}, .place = node_.place};
  return {.text = node->text, .place = node->place};
}

Placed Fields::Name(std::string_view key, Need need) {
  Placed name = Text(key, need);
  if (!name.text.empty() && !model::IsName(name.text)) {
    diagnostics_.Error(name.place, absl::StrCat(std::string(key), " is \"", name.text, "\"")).Expected(kNameExpected);
    name.text.clear();
  }
  return name;
}

std::optional<int64_t> Fields::Duration(std::string_view key, int64_t least_ms, int64_t most_ms) {
  constexpr char kExpected[] = "a duration such as 90s, 15m, 24h or 1h30m";
  const Node* node = FindScalar(key, Need::kOptional, kExpected);
  if (node == nullptr) return std::nullopt;
  const auto ms = ParseDurationMs(node->text);
  if (!ms.ok()) {
    diagnostics_.Error(node->place, absl::StrCat(std::string(key), " is ", node->Describe())).Expected(kExpected);
    return std::nullopt;
  }
  if (*ms < least_ms || *ms > most_ms) {
    diagnostics_.Error(node->place, absl::StrCat(std::string(key), " is ", node->Describe()))
        .Expected(absl::StrCat("a duration from ", FormatDurationMs(least_ms), " to ", FormatDurationMs(most_ms)));
    return std::nullopt;
  }
  return *ms;
}

std::optional<uint32_t> Fields::Count(std::string_view key, uint32_t least, uint32_t most) {
  const Node* node = Find(key);
  return node == nullptr ? std::nullopt : ReadCount(*node, key, least, most, diagnostics_);
}

std::optional<bool> Fields::Bool(std::string_view key) {
  const Node* node = FindScalar(key, Need::kOptional, "true or false");
  if (node == nullptr) return std::nullopt;
  if (!node->quoted && node->text == "true") return true;
  if (!node->quoted && node->text == "false") return false;
  diagnostics_.Error(node->place, absl::StrCat(std::string(key), " is ", node->Describe())).Expected("true or false");
  return std::nullopt;
}

std::vector<Placed> Fields::Texts(std::string_view key) {
  std::vector<Placed> texts;
  const Node* node = Find(key);
  if (node == nullptr) return texts;
  if (node->kind == Node::Kind::kScalar) return {{.text = node->text, .place = node->place}};
  if (node->kind == Node::Kind::kMap) {
    diagnostics_.Error(node->place, absl::StrCat(std::string(key), " is a map")).Expected("a list of texts");
    return texts;
  }
  for (const Node& item : node->items) {
    if (item.kind == Node::Kind::kScalar && !item.IsNull()) {
      texts.push_back({.text = item.text, .place = item.place});
    } else {
      diagnostics_.Error(item.place, absl::StrCat("an item of ", std::string(key), " is ", item.Describe())).Expected("a text");
    }
  }
  return texts;
}

void Fields::RefuseWord(std::string_view key, const Placed& word, const std::vector<std::string>& words) {
  diagnostics_.Error(word.place, absl::StrCat(std::string(key), " is \"", word.text, "\""))
      .ExpectedOneOf(words)
      .Nearest(word.text, words);
}

void Fields::Done() {
  for (const NodeEntry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    diagnostics_.Error(entry.key_place, absl::StrCat("the key \"", entry.key, "\" is unknown in ", what_))
        .ExpectedOneOf(known_)
        .Nearest(entry.key, known_);
  }
}

std::optional<uint32_t> ReadCount(const Node& node, std::string_view what, uint32_t least, uint32_t most,
                                  Diagnostics& diagnostics) {
  uint32_t number = 0;
  const std::string& text = node.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool read = node.kind == Node::Kind::kScalar && error == std::errc() && end == text.data() + text.size();
  if (read && number >= least && number <= most) return number;
  diagnostics.Error(node.place, absl::StrCat(std::string(what), " is ", node.Describe()))
      .Expected(absl::StrCat("a whole number from ", least, " to ", most));
  return std::nullopt;
}

}  // namespace reprise::plan
