#include "core/plan/node.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"

namespace reprise::plan {
namespace {

using Kind = YamlReader::Kind;

bool IsDigits(std::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty();
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool LooksLikeNumber(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto digits = [&text] {
    size_t count = 0;
    while (count < text.size() && absl::ascii_isdigit(text[count])) ++count;
    text.remove_prefix(count);
    return count;
  };
  const size_t whole = digits();
  size_t fraction = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

Json NumberOf(const Node& node, Diagnostics& diagnostics) {
  std::string_view text = node.text;
  const bool signed_text = text[0] == '-' || text[0] == '+';
  const std::string_view bare = signed_text ? text.substr(1) : text;
  if (bare.size() > 1 && bare[0] == '0' && absl::ascii_isdigit(bare[1])) {
    diagnostics.Error(node.place, absl::StrCat(node.text, " begins with a zero"))
        .Expected("a number without it, or a text in quotes")
        .Hint("some readers take it for octal, others do not");
    return Json();
  }
  if (text[0] == '+') text.remove_prefix(1);
  if (IsDigits(bare)) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
    diagnostics.Error(node.place, absl::StrCat(node.text, " is too large")).Expected("a number of 63 bits, or a text in quotes");
    return Json();
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number)) return number;
  diagnostics.Error(node.place, absl::StrCat(node.text, " is no number that a program can hold"))
      .Expected("a smaller number, or a text in quotes");
  return Json();
}

std::optional<Node> ReadMap(YamlReader& reader, Node map, Diagnostics& diagnostics) {
  for (;;) {
    const YamlReader::Event event = reader.Next();
    if (event.kind == Kind::kMapEnd) return map;
    if (event.kind == Kind::kEnd) return std::nullopt;
    NodeEntry entry{.key = std::string(event.text), .key_place = event.place, .value = {}};
    const bool is_text = event.kind == Kind::kScalar;
    if (!is_text) {
      diagnostics.Error(event.place, "a key is a list or a map").Expected("a text");
      if (!ReadNode(reader, event, diagnostics)) return std::nullopt;
    }
    std::optional<Node> value = ReadNode(reader, reader.Next(), diagnostics);
    if (!value) return std::nullopt;
    if (!is_text) continue;
    if (value->place.line == 0) value->place = entry.key_place;
    if (const NodeEntry* first = map.Find(entry.key); first != nullptr) {
      diagnostics.Error(entry.key_place, absl::StrCat("the key \"", entry.key, "\" stands here a second time"))
          .Hint(absl::StrCat("the first is in line ", first->key_place.line));
      continue;
    }
    entry.value = *std::move(value);
    map.entries.push_back(std::move(entry));
  }
}

}  // namespace

bool Node::IsNull() const {
  return kind == Kind::kScalar && !quoted && (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

const NodeEntry* Node::Find(std::string_view key) const {
  for (const NodeEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::string Node::Describe() const {
  constexpr size_t kShownMax = 60;
  if (kind == Kind::kList) return "a list";
  if (kind == Kind::kMap) return "a map";
  if (IsNull()) return "nothing";
  if (text.size() <= kShownMax) return absl::StrCat("\"", text, "\"");
  return absl::StrCat("\"", crypto::MakePlain(text.substr(0, kShownMax)), "…\"");
}

std::optional<Node> ReadNode(YamlReader& reader, const YamlReader::Event& first, Diagnostics& diagnostics) {
  Node node;
  node.place = first.place;
  switch (first.kind) {
    case Kind::kScalar:
      node.text = std::string(first.text);
      node.quoted = first.quoted;
      return node;
    case Kind::kListStart:
      node.kind = Node::Kind::kList;
      for (;;) {
        const YamlReader::Event event = reader.Next();
        if (event.kind == Kind::kListEnd) return node;
        std::optional<Node> item = ReadNode(reader, event, diagnostics);
        if (!item) return std::nullopt;
        if (item->place.line == 0) item->place = node.place;
        node.items.push_back(*std::move(item));
      }
    case Kind::kMapStart:
      node.kind = Node::Kind::kMap;
      return ReadMap(reader, std::move(node), diagnostics);
    case Kind::kDocumentStart:
    case Kind::kDocumentEnd:
    case Kind::kMapEnd:
    case Kind::kListEnd:
    case Kind::kEnd:
      return std::nullopt;
  }
  return std::nullopt;
}

Json JsonOfScalar(const Node& node, Diagnostics& diagnostics) {
  if (node.quoted) return node.text;
  if (node.IsNull()) return Json();
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  if (LooksLikeNumber(node.text)) return NumberOf(node, diagnostics);
  return node.text;
}

Json JsonOf(const Node& node, Diagnostics& diagnostics) {
  switch (node.kind) {
    case Node::Kind::kScalar:
      return JsonOfScalar(node, diagnostics);
    case Node::Kind::kList: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(JsonOf(item, diagnostics));
      return list;
    }
    case Node::Kind::kMap: {
      Json map = Json::object();
      for (const NodeEntry& entry : node.entries) map[entry.key] = JsonOf(entry.value, diagnostics);
      return map;
    }
  }
  return Json();
}

}  // namespace reprise::plan
