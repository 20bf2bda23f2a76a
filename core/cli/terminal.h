// Where a command prints and asks. Results go to out(); whatever a program that reads them would not want (progress,
// questions, warnings) to err(). Colours and bars only where a person looks on.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace reprise::cli {

enum class Color { kNone, kGood, kBad, kWarning, kBusy, kDim, kBold };

class Terminal {
 public:
  virtual ~Terminal() = default;

  virtual std::ostream& out() = 0;
  virtual std::ostream& err() = 0;
  virtual bool OutIsTerminal() const = 0;
  virtual bool ErrIsTerminal() const = 0;
  // Columns; 0: as wide as may be.
  virtual size_t Width() const = 0;
  // FAILED_PRECONDITION where nobody is there to answer.
  virtual absl::StatusOr<std::string> Ask(const std::string& question) = 0;
  virtual absl::StatusOr<std::string> AskSecret(const std::string& question) = 0;

  // Never on a pipe, with NO_COLOR, --no-color, or a dumb terminal.
  void AllowColor(bool allowed) { color_allowed_ = allowed; }
  bool HasColor() const { return color_allowed_ && OutIsTerminal(); }
  std::string Paint(std::string_view text, Color color) const;

 private:
  bool color_allowed_ = true;
};

// Standard input, output and error of this process.
class ProcessTerminal final : public Terminal {
 public:
  ProcessTerminal();
  std::ostream& out() override;
  std::ostream& err() override;
  bool OutIsTerminal() const override;
  bool ErrIsTerminal() const override;
  size_t Width() const override;
  absl::StatusOr<std::string> Ask(const std::string& question) override;
  absl::StatusOr<std::string> AskSecret(const std::string& question) override;
};

// Columns that UTF-8 text takes, its combining marks and control sequences not counted.
size_t DisplayWidth(std::string_view text);
// At most `width` columns, with "…" where something was cut.
std::string Shorten(std::string_view text, size_t width);
// What came from elsewhere, fit to be shown: one line, without control characters that would move the cursor.
std::string OneLine(std::string_view text);

}  // namespace reprise::cli
