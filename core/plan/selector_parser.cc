#include "core/plan/selector_parser.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::plan {
namespace {

bool IsWordByte(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::string_view kLabelPrefix = "labels.";
constexpr std::string_view kParameterPrefix = "params.";

}  // namespace

std::optional<Selector> SelectorParser::Parse() {
  if (text_.size() > Selector::kBytesMax) {
    token_ = {.kind = Token::Kind::kBad, .text = {}, .offset = 0, .length = 1};
    Fail(token_, absl::StrCat("the selector has ", text_.size(), " bytes"), {absl::StrCat("at most ", Selector::kBytesMax)});
    return std::nullopt;
  }
  Advance();
  if (token_.kind == Token::Kind::kEnd) {
    Fail(token_, "the selector is empty", {"a comparison", "all"});
    return std::nullopt;
  }
  Selector selector;
  if (!ReadOr(selector.root_, 0)) return std::nullopt;
  if (token_.kind != Token::Kind::kEnd) {
    Fail(token_, absl::StrCat("\"", token_.text, "\" stands where the selector could end"), {"and", "or"});
    return std::nullopt;
  }
  selector.empty_ = false;
  if (!Selector::Resolve(selector.root_, error_)) return std::nullopt;
  return selector;
}

void SelectorParser::Advance() {
  while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
  const size_t begin = at_;
  const auto make = [&](Token::Kind kind, size_t length) {
    token_ = {.kind = kind, .text = std::string(text_.substr(begin, length)), .offset = begin, .length = length};
    at_ = begin + length;
  };
  if (at_ == text_.size()) return make(Token::Kind::kEnd, 0);
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("==")) return make(Token::Kind::kEquals, 2);
  if (rest.starts_with("!=")) return make(Token::Kind::kDiffers, 2);
  if (rest[0] == '(') return make(Token::Kind::kOpen, 1);
  if (rest[0] == ')') return make(Token::Kind::kClose, 1);
  if (rest[0] == ',') return make(Token::Kind::kComma, 1);
  if (rest[0] == '"' || rest[0] == '\'') {
    const size_t end = rest.find(rest[0], 1);
    if (end == std::string_view::npos) return make(Token::Kind::kBad, rest.size());
    make(Token::Kind::kQuoted, end + 1);
    token_.text = token_.text.substr(1, end - 1);
    return;
  }
  size_t length = 0;
  while (length < rest.size() && IsWordByte(rest[length])) ++length;
  if (length == 0) return make(Token::Kind::kBad, 1);
  make(Token::Kind::kWord, length);
}

bool SelectorParser::Fail(const Token& at, std::string message, std::vector<std::string> expected) {
  error_ = {.offset = at.offset,
            .length = at.length == 0 ? 1 : at.length,
            .message = std::move(message),
            .expected = std::move(expected),
            .nearest = {}};
  error_.nearest = NearestName(at.text, error_.expected);
  return false;
}

bool SelectorParser::Expect(Token::Kind kind, const char* what) {
  if (token_.kind == kind) {
    Advance();
    return true;
  }
  if (token_.kind == Token::Kind::kEnd) return Fail(token_, "the selector ends too early", {what});
  return Fail(token_, absl::StrCat("\"", token_.text, "\" stands here"), {what});
}

bool SelectorParser::ReadOr(Expression& out, int depth) {
  Expression first;
  if (!ReadAnd(first, depth)) return false;
  if (!IsWord("or")) return out = std::move(first), true;
  out.op = Selector::Op::kOr;
  out.parts.push_back(std::move(first));
  while (IsWord("or")) {
    Advance();
    if (!ReadAnd(out.parts.emplace_back(), depth)) return false;
  }
  return true;
}

bool SelectorParser::ReadAnd(Expression& out, int depth) {
  Expression first;
  if (!ReadNot(first, depth)) return false;
  if (!IsWord("and")) return out = std::move(first), true;
  out.op = Selector::Op::kAnd;
  out.parts.push_back(std::move(first));
  while (IsWord("and")) {
    Advance();
    if (!ReadNot(out.parts.emplace_back(), depth)) return false;
  }
  return true;
}

bool SelectorParser::ReadNot(Expression& out, int depth) {
  if (depth > Selector::kDepthMax) {
    return Fail(token_, absl::StrCat("nested more than ", Selector::kDepthMax, " deep"), {"fewer parentheses"});
  }
  if (IsWord("not")) {
    Advance();
    out.op = Selector::Op::kNot;
    return ReadNot(out.parts.emplace_back(), depth + 1);
  }
  if (token_.kind == Token::Kind::kOpen) {
    Advance();
    return ReadOr(out, depth + 1) && Expect(Token::Kind::kClose, "\")\"");
  }
  return ReadComparison(out);
}

bool SelectorParser::ReadComparison(Expression& out) {
  static const std::vector<std::string> kIdentifiers = {"name", "zone", "class", "trust", "agent", "labels.<key>"};
  static constexpr Selector::Field kFields[] = {Selector::Field::kName, Selector::Field::kZone, Selector::Field::kClass,
                                                Selector::Field::kTrust, Selector::Field::kAgent};
  const Token identifier = token_;
  if (identifier.kind == Token::Kind::kEnd) return Fail(identifier, "the selector ends too early", {"a comparison"});
  if (identifier.kind != Token::Kind::kWord) {
    return Fail(identifier, absl::StrCat("\"", identifier.text, "\" stands here"), kIdentifiers);
  }
  Advance();
  if (identifier.text == "all") return out.op = Selector::Op::kAll, true;
  out.op = Selector::Op::kIn;
  bool known = false;
  if (identifier.text.starts_with(kLabelPrefix) && identifier.text.size() > kLabelPrefix.size()) {
    known = true;
    out.field = Selector::Field::kLabel;
    out.label = identifier.text.substr(kLabelPrefix.size());
    out.label_offset = identifier.offset + kLabelPrefix.size();
  }
  for (size_t i = 0; i < std::size(kFields) && !known; ++i) {
    known = identifier.text == kIdentifiers[i];
    out.field = kFields[i];
  }
  if (!known) return Fail(identifier, absl::StrCat("\"", identifier.text, "\" is no property of a host"), kIdentifiers);

  bool negated = false;
  if (token_.kind == Token::Kind::kEquals || token_.kind == Token::Kind::kDiffers) {
    negated = token_.kind == Token::Kind::kDiffers;
    Advance();
    if (!ReadValue(out)) return false;
  } else {
    if (IsWord("not")) {
      negated = true;
      Advance();
    }
    if (!IsWord("in")) {
      const std::string found = token_.kind == Token::Kind::kEnd ? "nothing" : absl::StrCat("\"", token_.text, "\"");
      return Fail(token_, absl::StrCat("after \"", identifier.text, "\" stands ", found), {"==", "!=", "in", "not in"});
    }
    Advance();
    if (token_.kind == Token::Kind::kWord && token_.text.starts_with(kParameterPrefix)) {
      if (!ReadValue(out)) return false;
    } else {
      if (!Expect(Token::Kind::kOpen, "\"(\" and a list of values")) return false;
      do {
        if (!ReadValue(out)) return false;
        if (token_.kind != Token::Kind::kComma) break;
        Advance();
      } while (true);
      if (!Expect(Token::Kind::kClose, "\",\" or \")\"")) return false;
    }
  }
  if (negated) {
    Expression inner = std::move(out);
    out = Expression();
    out.op = Selector::Op::kNot;
    out.parts.push_back(std::move(inner));
  }
  return true;
}

bool SelectorParser::ReadValue(Expression& out) {
  if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuoted) {
    if (token_.kind == Token::Kind::kEnd) return Fail(token_, "the selector ends too early", {"a value"});
    return Fail(token_, absl::StrCat("\"", token_.text, "\" stands here"), {"a value"});
  }
  Selector::Value value{.text = token_.text, .offset = token_.offset, .length = token_.length, .parameter = false};
  if (token_.kind == Token::Kind::kWord && value.text.starts_with(kParameterPrefix)) {
    value.parameter = true;
    value.text = value.text.substr(kParameterPrefix.size());
  }
  out.values.push_back(std::move(value));
  Advance();
  return true;
}

}  // namespace reprise::plan
