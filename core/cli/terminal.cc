#include "core/cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"

namespace reprise::cli {
namespace {

const char* CodeOf(Color color) {
  switch (color) {
    case Color::kGood:
      return "32";
    case Color::kBad:
      return "31;1";
    case Color::kWarning:
      return "33";
    case Color::kBusy:
      return "36";
    case Color::kDim:
      return "2";
    case Color::kBold:
      return "1";
    case Color::kNone:
      return "0";
  }
  return "0";
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Length in bytes of the control sequence that starts here; 0: none does.
size_t SequenceAt(std::string_view text, size_t at) {
  if (text[at] != '\x1b' || at + 1 >= text.size() || text[at + 1] != '[') return 0;
  size_t end = at + 2;
  while (end < text.size() && text[end] != 'm') ++end;
  return end + 1 - at;
}

absl::StatusOr<std::string> ReadAnswer(const std::string& question) {
  if (isatty(STDIN_FILENO) == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("nobody is at the terminal to answer: ", question, "\n  try: --yes, where you have decided already"));
  }
  std::cerr << question << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return absl::CancelledError("no answer");
  return answer;
}

}  // namespace

std::string Terminal::Paint(std::string_view text, Color color) const {
  if (!HasColor() || color == Color::kNone) return std::string(text);
  return absl::StrCat("\x1b[", CodeOf(color), "m", std::string(text), "\x1b[0m");
}

ProcessTerminal::ProcessTerminal() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::string_view(kind) == "dumb";
  AllowColor((no_color == nullptr || *no_color == '\0') && !dumb);
}

std::ostream& ProcessTerminal::out() { return std::cout; }
std::ostream& ProcessTerminal::err() { return std::cerr; }
bool ProcessTerminal::OutIsTerminal() const { return isatty(STDOUT_FILENO) != 0; }
bool ProcessTerminal::ErrIsTerminal() const { return isatty(STDERR_FILENO) != 0; }

size_t ProcessTerminal::Width() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return OutIsTerminal() ? 80 : 0;
}

absl::StatusOr<std::string> ProcessTerminal::Ask(const std::string& question) { return ReadAnswer(question); }

absl::StatusOr<std::string> ProcessTerminal::AskSecret(const std::string& question) {
  termios shown{};
  const bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
  if (terminal) {
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  auto answer = ReadAnswer(question);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    std::cerr << '\n';
  }
  return answer;
}

size_t DisplayWidth(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    if (const size_t skip = SequenceAt(text, at); skip > 0) {
      at += skip;
      continue;
    }
    // Combining marks (U+0300 to U+036F) stand on the letter before them.
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool combining = byte == 0xCC || (byte == 0xCD && at + 1 < text.size() &&
                                            static_cast<unsigned char>(text[at + 1]) < 0xB0);
    if (!IsContinuation(text[at]) && !combining) columns += 1;
    ++at;
  }
  return columns;
}

std::string Shorten(std::string_view text, size_t width) {
  if (width == 0 || DisplayWidth(text) <= width) return std::string(text);
  std::string kept;
  size_t columns = 0;
  bool painted = false;
  for (size_t at = 0; at < text.size();) {
    if (const size_t skip = SequenceAt(text, at); skip > 0) {
      kept.append(text.substr(at, skip));
      painted = true;
      at += skip;
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && IsContinuation(text[end])) ++end;
    if (columns + 1 >= width) break;
    kept.append(text.substr(at, end - at));
    columns += 1;
    at = end;
  }
  return absl::StrCat(kept, "…", painted ? "\x1b[0m" : "");
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c;
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return crypto::MakePlain(line);  // Nor what is invisible, or turns the direction of writing.
}

}  // namespace reprise::cli
