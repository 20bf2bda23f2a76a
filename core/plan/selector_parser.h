// The grammar of selectors, by recursive descent with a bounded depth. Private to core/plan: use Selector::Parse.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/plan/selector.h"

namespace reprise::plan {

class SelectorParser {
 public:
  SelectorParser(std::string_view text, SelectorError& error) : text_(text), error_(error) {}
  std::optional<Selector> Parse();

 private:
  using Expression = Selector::Expression;
  struct Token {
    enum class Kind { kWord, kQuoted, kEquals, kDiffers, kOpen, kClose, kComma, kEnd, kBad };
    Kind kind = Kind::kEnd;
    std::string text;
    size_t offset = 0;
    size_t length = 0;
  };

  void Advance();
  bool IsWord(std::string_view word) const { return token_.kind == Token::Kind::kWord && token_.text == word; }
  bool Expect(Token::Kind kind, const char* what);
  bool Fail(const Token& at, std::string message, std::vector<std::string> expected);

  // Each gives false after an error.
  bool ReadOr(Expression& out, int depth);
  bool ReadAnd(Expression& out, int depth);
  bool ReadNot(Expression& out, int depth);
  bool ReadComparison(Expression& out);
  bool ReadValue(Expression& out);

  std::string_view text_;
  SelectorError& error_;
  size_t at_ = 0;
  Token token_;
};

}  // namespace reprise::plan
