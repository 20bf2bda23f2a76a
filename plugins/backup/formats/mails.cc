// Mail: one message (Maildir, .eml) or many behind each other (mbox). A message has headers, an empty line and a body;
// one of several parts must close them. Dovecot also writes the size into a Maildir file's name.
#include <algorithm>
#include <optional>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/text_grammar.h"
#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr const char* kHeaders[] = {"return-path:",
                                    "received:",
                                    "from:",
                                    "to:",
                                    "subject:",
                                    "date:",
                                    "message-id:",
                                    "delivered-to:",
                                    "x-",
                                    "mime-version:",
                                    "content-type:",
                                    "status:",
                                    "dkim-signature:",
                                    "authentication-results:",
                                    "reply-to:",
                                    "sender:"};

bool IsHeader(std::string_view line) {
  const std::string low = Lower(line.substr(0, 40));
  return std::any_of(std::begin(kHeaders), std::end(kHeaders), [&](const char* name) { return StartsWith(low, name); });
}

class MessageGrammar final : public TextGrammar {
 public:
  explicit MessageGrammar(bool many) : many_(many) {}

  void Line(std::string_view line, uint64_t at, bool begins) override {
    if (!begins) return;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (many_ && after_empty_ && StartsWith(line, "From ")) return Begin(at);
    after_empty_ = line.empty();
    if (in_headers_) {
      if (line.empty()) {
        in_headers_ = false;
      } else {
        Header(line);
      }
    } else if (!boundary_.empty() && StartsWith(line, "--") && line.substr(2, boundary_.size()) == boundary_ &&
               StartsWith(line.substr(2 + boundary_.size()), "--")) {
      closed_ = true;
    }
  }

  // The body of one message says nothing to this grammar, unless it has parts.
  size_t Lines(std::string_view piece, uint64_t) override {
    if (many_ || in_headers_ || !boundary_.empty()) return 0;
    return piece.rfind('\n') + 1;  // None: npos, and so nothing.
  }

  bool Mixed() const override { return true; }
  void End(Report& report, uint64_t size, bool) override {
    if (headers_ == 0) return report.Damaged(begin_, "the headers of a message", "none");
    if (in_headers_) return report.Truncated(size, "the empty line behind the headers");
    if (!boundary_.empty() && !closed_)
      return report.Truncated(size, Words("the closing boundary --", boundary_, "--"));
  }

 private:
  void Begin(uint64_t at) {
    begin_ = at;
    in_headers_ = true;
    headers_ = 0;
    after_empty_ = false;
    closed_ = false;
    content_type_ = false;
    boundary_.clear();
  }
  void Header(std::string_view line) {
    const bool continued = line[0] == ' ' || line[0] == '\t';
    if (!continued) {
      headers_ += line.find(':') != std::string_view::npos ? 1 : 0;
      content_type_ = StartsWith(Lower(line.substr(0, 13)), "content-type:");
    }
    if (!content_type_) return;
    const size_t at = Lower(line).find("boundary=");
    if (at == std::string::npos) return;
    std::string_view value = line.substr(at + 9);
    const bool quoted = !value.empty() && value[0] == '"';
    if (quoted) value.remove_prefix(1);
    boundary_.assign(value.substr(0, value.find_first_of(quoted ? "\"" : "; \t")));
  }

  const bool many_;
  bool in_headers_ = true;
  bool after_empty_ = true;
  bool closed_ = false;
  bool content_type_ = false;
  uint64_t headers_ = 0;
  uint64_t begin_ = 0;
  std::string boundary_;
};

class Mail final : public Decoder {
 public:
  explicit Mail(bool many) : many_(many) {}
  const char* name() const override { return many_ ? "mbox" : "mail"; }
  bool Textual() const override { return true; }
  bool Recognises(std::string_view head) const override {
    if (many_) {
      const size_t newline = head.find('\n');
      return StartsWith(head, "From ") && newline != std::string_view::npos && IsHeader(head.substr(newline + 1)) &&
             LooksLikeText(head);
    }
    // A first line may be anything that begins with a name and a colon; the second tells.
    const size_t newline = head.find('\n');
    if (newline == std::string_view::npos) return false;
    const std::string_view second = head.substr(newline + 1);
    return IsHeader(head) && !second.empty() && (IsHeader(second) || second[0] == ' ' || second[0] == '\t') &&
           LooksLikeText(head);
  }
  void Decode(Source& source, Report& report) const override {
    MessageGrammar grammar(many_);
    ReadText(source, report, &grammar);
    if (many_ || !report.clean()) return;
    const std::optional<uint64_t> size = SizeInName(report.name());
    if (!size || *size == source.Size()) return;
    if (source.Size() < *size) return report.Truncated(source.Size(), Words(*size, " bytes, as its name says"));
    report.Damaged(*size, Words(*size, " bytes, as its name says"), Words(source.Size(), " bytes"));
  }

 private:
  // "1669400000.M1P2.mail,S=1234,W=1260:2,S"
  static std::optional<uint64_t> SizeInName(std::string_view name) {
    const std::string_view base = BaseName(name);
    const size_t at = base.find(",S=");
    uint64_t size = 0;
    if (at == std::string_view::npos) return std::nullopt;
    const std::string digits(base.substr(at + 3, base.find_first_not_of("0123456789", at + 3) - at - 3));
    if (!ReadNumber(digits, size)) return std::nullopt;
    return size;
  }

  const bool many_;
};

}  // namespace

std::unique_ptr<Decoder> MakeMbox() {
  return std::make_unique<Mail>(true);
}
std::unique_ptr<Decoder> MakeMail() {
  return std::make_unique<Mail>(false);
}

}  // namespace reprise::backup
