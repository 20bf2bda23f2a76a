// The text of a PostgreSQL dump, read as it streams by: how many rows of which table it carries, a fingerprint of them,
// how many constraints it makes. Holds no more than a line. For plain dumps, which psql will read, it also refuses what
// psql would take for commands of its own: a dump is data, and no data runs a shell.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "plugins/sdk/sha256.h"

namespace reprise::sdk::application {

// The rows of a table, in whatever order: their number, and the sum of their hashes.
struct RowSet {
  uint64_t rows = 0;
  uint64_t low = 0, high = 0;

  void Add(std::string_view line) {
    unsigned char digest[32];
    unsigned int size = sizeof digest;
    EVP_Digest(line.data(), line.size(), digest, &size, EVP_sha256(), nullptr);
    uint64_t words[2];
    std::memcpy(words, digest, sizeof words);
    ++rows, low += words[0], high += words[1];
  }
  bool operator==(const RowSet&) const = default;
};

struct DumpContent {
  // "planning.staff (staff_id, code)" as the dump has it -> its rows.
  std::map<std::string, RowSet> tables;
  uint64_t constraints = 0;
  bool ended = false;  // The last words of a whole dump were there.

  uint64_t Rows() const {
    uint64_t rows = 0;
    for (const auto& [table, set] : tables) rows += set.rows;
    return rows;
  }
  // One word for all of it.
  std::string Fingerprint() const {
    std::string text;
    for (const auto& [table, set] : tables) {
      text += table + " " + std::to_string(set.rows) + " " + std::to_string(set.low) + " " + std::to_string(set.high) + "\n";
    }
    return Sha256OfText(text);
  }
};

// Cuts what streams by into lines, without their ends.
class LineCutter {
 public:
  template <typename OnLine>
  void Feed(std::string_view piece, OnLine&& on_line) {
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      if (end == std::string_view::npos) {
        rest_ += piece;
        if (rest_.size() > kLineMax) throw Error("too_large", "a line of the dump is longer than 256 MiB");
        return;
      }
      if (rest_.empty()) {
        on_line(piece.substr(0, end));
      } else {
        rest_ += piece.substr(0, end);
        on_line(std::string_view(rest_));
        rest_.clear();
      }
      piece.remove_prefix(end + 1);
    }
  }
  // What came after the last line's end.
  const std::string& rest() const { return rest_; }

 private:
  static constexpr size_t kLineMax = 256 << 20;
  std::string rest_;
};

class DumpReader {
 public:
  // `on_line` is given every line but those of pg_dump's own guard (\restrict, \unrestrict).
  explicit DumpReader(std::function<void(std::string_view)> on_line = nullptr) : on_line_(std::move(on_line)) {}

  // Throws Error "hostile_dump".
  void Feed(std::string_view piece) {
    cutter_.Feed(piece, [this](std::string_view line) { Line(line); });
  }
  // Throws Error "truncated_dump" if it ended in the middle of something.
  DumpContent Finish() {
    if (rows_ != nullptr) throw Error("truncated_dump", "the dump ends in the middle of the rows of " + table_);
    if (state_ != State::kPlain || !content_.ended || !cutter_.rest().empty()) {
      throw Error("truncated_dump", "the dump has no end: the words \"PostgreSQL database dump complete\" are missing",
                  "take an older recovery point that is whole");
    }
    return std::move(content_);
  }

 private:
  enum class State { kPlain, kText, kEscapedText, kName, kDollar, kComment };

  void Line(std::string_view line) {
    if (rows_ == nullptr && state_ == State::kPlain && IsGuard(line)) return;
    if (on_line_) on_line_(line);
    if (rows_ != nullptr) {
      if (line == "\\.") {
        rows_ = nullptr;
      } else {
        rows_->Add(line);
      }
      return;
    }
    if (state_ == State::kPlain) {
      if (line == "-- PostgreSQL database dump complete") content_.ended = true;
      constexpr std::string_view kCopy = "COPY ", kFrom = " FROM stdin;";
      if (line.rfind(kCopy, 0) == 0 && line.size() > kCopy.size() + kFrom.size() &&
          line.substr(line.size() - kFrom.size()) == kFrom) {
        table_ = line.substr(kCopy.size(), line.size() - kCopy.size() - kFrom.size());
        rows_ = &content_.tables[table_];
        return;
      }
      if (line.find("ADD CONSTRAINT ") != std::string_view::npos) ++content_.constraints;
    }
    Scan(line);
  }

  // Follows quotes and comments, to know where a backslash is a command.
  void Scan(std::string_view line) {
    for (size_t at = 0; at < line.size(); ++at) {
      const char c = line[at];
      const char next = at + 1 < line.size() ? line[at + 1] : '\0';
      switch (state_) {
        case State::kPlain:
          if (c == '\\') Refuse();
          if (c == '-' && next == '-') return;
          if (c == '/' && next == '*') state_ = State::kComment, depth_ = 1, ++at;
          if (c == '\'') state_ = at > 0 && (line[at - 1] == 'E' || line[at - 1] == 'e') ? State::kEscapedText : State::kText;
          if (c == '"') state_ = State::kName;
          if (c == '$' && (at == 0 || !IsWord(line[at - 1]))) Dollar(line, at);
          break;
        case State::kText:
          if (c == '\'') state_ = State::kPlain;
          break;
        case State::kEscapedText:
          if (c == '\\') {
            ++at;
          } else if (c == '\'') {
            state_ = State::kPlain;
          }
          break;
        case State::kName:
          if (c == '"') state_ = State::kPlain;
          break;
        case State::kDollar:
          if (c == '$' && line.substr(at, tag_.size()) == tag_) state_ = State::kPlain, at += tag_.size() - 1;
          break;
        case State::kComment:
          if (c == '/' && next == '*') ++depth_, ++at;
          if (c == '*' && next == '/') {
            ++at;
            if (--depth_ == 0) state_ = State::kPlain;
          }
          break;
      }
    }
  }

  // One word follows, nothing else: psql reads several commands on a line.
  static bool IsGuard(std::string_view line) {
    for (const std::string_view command : {"\\restrict ", "\\unrestrict "}) {
      if (line.substr(0, command.size()) != command || line.size() == command.size()) continue;
      const std::string_view word = line.substr(command.size());
      return std::all_of(word.begin(), word.end(), [](char c) { return IsWord(c) && c != '$' && (c & 0x80) == 0; });
    }
    return false;
  }
  static bool IsWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80) != 0;
  }
  void Dollar(std::string_view line, size_t& at) {
    size_t end = at + 1;
    while (end < line.size() && line[end] != '$' && IsWord(line[end])) ++end;
    if (end >= line.size() || line[end] != '$' || (line[at + 1] >= '0' && line[at + 1] <= '9')) return;
    tag_ = line.substr(at, end - at + 1);
    state_ = State::kDollar;
    at = end;
  }
  [[noreturn]] static void Refuse() {
    throw Error("hostile_dump", "the dump has a command for psql outside of its data: it would be carried out, not restored",
                "look at the dump; pg_dump writes none");
  }

  std::function<void(std::string_view)> on_line_;
  LineCutter cutter_;
  DumpContent content_;
  RowSet* rows_ = nullptr;
  std::string table_, tag_;
  State state_ = State::kPlain;
  int depth_ = 0;
};

}  // namespace reprise::sdk::application
