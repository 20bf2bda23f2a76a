// The events of one YAML file, with places. Refuses what makes a document mean something else than it seems to: anchors,
// aliases, tags, directives, and nesting past any use. Reads raw bytes of any content without harm.
#pragma once

#include <memory>
#include <string_view>

#include "core/plan/diagnostics.h"

namespace reprise::plan {

class YamlReader {
 public:
  static constexpr int kDepthMax = 32;

  enum class Kind { kDocumentStart, kDocumentEnd, kMapStart, kMapEnd, kListStart, kListEnd, kScalar, kEnd };
  struct Event {
    Kind kind = Kind::kEnd;
    Place place;
    std::string_view text;  // Of a scalar; valid until the next call.
    bool quoted = false;    // In quotes or a block: always a text, never a number or a truth.
  };

  // Reads the source that `diagnostics` knows under this number.
  YamlReader(uint32_t source, Diagnostics& diagnostics);
  ~YamlReader();
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  // kEnd for ever after the end or after an error, which has then been reported.
  Event Next();
  bool failed() const { return failed_; }

 private:
  struct Parser;
  Event Fail(Place place, std::string message, std::string hint);
  Event Ended();

  const uint32_t source_;
  Diagnostics& diagnostics_;
  std::unique_ptr<Parser> parser_;
  int depth_ = 0;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace reprise::plan
