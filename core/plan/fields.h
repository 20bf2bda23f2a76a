// Reads the fields of one map into typed values. Each call names a key that is known; Done() reports all others, with
// the nearest known name. Every reader reports what is wrong and gives the default, so that reading goes on.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/names.h"
#include "core/plan/diagnostics.h"
#include "core/plan/node.h"

namespace reprise::plan {

enum class Need { kOptional, kRequired };

// A text with its place, for what is looked up later.
struct Placed {
  std::string text;
  Place place;
};

class Fields {
 public:
  // `what` as in "stage protect", for messages. A node that is no map is reported, and then has no fields.
  Fields(const Node& node, std::string what, Diagnostics& diagnostics);

  const Node* Find(std::string_view key, Need need = Need::kOptional);
  Placed Text(std::string_view key, Need need = Need::kOptional);
  // A name as model::IsName takes it.
  Placed Name(std::string_view key, Need need = Need::kOptional);
  std::optional<int64_t> Duration(std::string_view key, int64_t least_ms, int64_t most_ms);
  std::optional<uint32_t> Count(std::string_view key, uint32_t least, uint32_t most);
  std::optional<bool> Bool(std::string_view key);
  std::vector<Placed> Texts(std::string_view key);  // A list of texts; one text alone is a list of one.

  template <typename Enum>
  std::optional<Enum> Word(std::string_view key, Need need = Need::kOptional) {
    const Placed word = Text(key, need);
    return word.text.empty() ? std::nullopt : WordOf<Enum>(key, word);
  }
  template <typename Enum>
  std::vector<Enum> Words(std::string_view key) {
    std::vector<Enum> words;
    for (const Placed& word : Texts(key)) {
      if (const auto value = WordOf<Enum>(key, word)) words.push_back(*value);
    }
    return words;
  }

  // Reports the keys that nobody asked for.
  void Done();

  const Node& node() const { return node_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  const std::string& what() const { return what_; }

 private:
  template <typename Enum>
  std::optional<Enum> WordOf(std::string_view key, const Placed& word) {
    const auto value = model::FromName<Enum>(word.text);
    if (!value) RefuseWord(key, word, model::NamesOf<Enum>());
    return value;
  }
  void RefuseWord(std::string_view key, const Placed& word, const std::vector<std::string>& words);
  const Node* FindScalar(std::string_view key, Need need, std::string_view expected);

  const Node& node_;
  const std::string what_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
};

// A scalar of digits within the bounds; reports "<what> is …" otherwise.
std::optional<uint32_t> ReadCount(const Node& node, std::string_view what, uint32_t least, uint32_t most,
                                  Diagnostics& diagnostics);

}  // namespace reprise::plan
