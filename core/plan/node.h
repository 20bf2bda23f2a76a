// A part of a document as a tree with places: what a workflow is read from, and one host of an inventory at a time.
// Order is kept; keys are unique.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/diagnostics.h"
#include "core/plan/yaml_reader.h"

namespace reprise::plan {

using Json = nlohmann::json;

struct NodeEntry;

struct Node {
  enum class Kind { kScalar, kList, kMap };
  Kind kind = Kind::kScalar;
  Place place;
  std::string text;                // Of a scalar.
  bool quoted = false;
  std::vector<Node> items;         // Of a list.
  std::vector<NodeEntry> entries;  // Of a map.

  bool IsNull() const;             // Plain and empty, "~" or "null".
  const NodeEntry* Find(std::string_view key) const;
  // "a list", "a map", "\"dirty\"", "nothing"
  std::string Describe() const;
};

struct NodeEntry {
  std::string key;
  Place key_place;
  Node value;
};

// The value that begins with `first`, which Next() just gave. Reports duplicate keys and keys that are no texts;
// nullopt: the file cannot be read on.
std::optional<Node> ReadNode(YamlReader& reader, const YamlReader::Event& first, Diagnostics& diagnostics);

// A scalar as YAML 1.2's core schema reads it. Numbers that two readers would read differently (a leading zero, 1e999)
// are reported.
Json JsonOfScalar(const Node& node, Diagnostics& diagnostics);
Json JsonOf(const Node& node, Diagnostics& diagnostics);

}  // namespace reprise::plan
