// What is wrong with documents, told as a good compiler tells it: file, line, column, the value, what was expected, the
// nearest valid name. Many findings are collected, so that an author mends them in one go; the order is that of the
// text, whatever the order of finding. Not thread-safe: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace reprise::plan {

// A place in a source. Lines and columns are counted from 1, columns in characters. Line 0: the whole source.
struct Place {
  uint32_t source = 0;  // As Diagnostics::AddSource gave it; 0: none.
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 1;  // Characters to underline; all on one line.
};

enum class Severity { kWarning, kError };

struct Finding {
  Severity severity = Severity::kError;
  Place place;
  std::string message;   // What is wrong, with the value.
  std::string expected;  // "a duration such as 90s"; may be empty.
  std::string nearest;   // The valid name that was probably meant; may be empty.
  std::string hint;      // What to try; may be empty.
  bool secret = false;   // The line must not be shown: it may hold a secret.

  // For use at the end of Diagnostics::Error(…).
  Finding& Expected(std::string text);
  Finding& ExpectedOneOf(const std::vector<std::string>& names);
  Finding& Nearest(std::string_view word, const std::vector<std::string>& names);
  Finding& Hint(std::string text);
  Finding& Secret(bool yes = true);
};

class Diagnostics {
 public:
  Diagnostics() = default;
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  // The rest is counted, not kept.
  static constexpr size_t kFindingsMax = 100;

  // Gives the number for Place::source. The bytes are kept, to be read and shown.
  uint32_t AddSource(std::string name, std::string bytes);
  const std::string& SourceName(uint32_t source) const;
  std::string_view SourceBytes(uint32_t source) const;

  Finding& Error(Place place, std::string message);
  Finding& Warning(Place place, std::string message);

  bool ok() const { return errors_ == 0; }
  size_t errors() const { return errors_; }
  size_t warnings() const { return warnings_; }
  // In the order of the text.
  std::vector<Finding> Findings() const;

  // "dossier/edr.yaml:12:9"
  std::string NameOf(Place place) const;
  // All findings, each with its line and a caret; a last line counts them. Empty when there are none.
  std::string Render() const;
  // OK without errors; else INVALID_ARGUMENT with Render()'s text.
  absl::Status ToStatus() const;

 private:
  struct Source {
    std::string name;
    std::string bytes;
  };
  // One that stands in other diagnostics is none of these.
  const Source& SourceOf(uint32_t source) const;
  Finding& Add(Severity severity, Place place, std::string message);
  std::string RenderOne(const Finding& finding) const;

  std::deque<Source> sources_ = std::deque<Source>(1);  // Never moves what a view points to.
  std::deque<Finding> findings_;
  Finding overflow_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace reprise::plan
