#include "plugins/mail/roster.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "plugins/sdk/error.h"
#include "plugins/sdk/params.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

using sdk::Error;

constexpr size_t kBoxesMax = 200'000;
constexpr size_t kFieldMax = 320;  // The longest address is 254 bytes.

[[noreturn]] void Refuse(size_t line, const std::string& what, const std::string& hint = "") {
  throw Error("bad_roster", "roster, line " + std::to_string(line) + ": " + what, hint);
}

struct Record {
  size_t line = 0;  // Where it begins.
  std::vector<std::string> fields;
};

// As in RFC 4180, with the separator of the first line.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
    const std::string_view first = text_.substr(0, text_.find('\n'));
    separator_ = first.find(',') == std::string_view::npos && first.find(';') != std::string_view::npos ? ';' : ',';
  }

  // Empty lines are passed over.
  std::optional<Record> Next() {
    while (at_ < text_.size()) {
      Record record{line_, {}};
      for (;;) {
        record.fields.push_back(Field(record.line));
        if (at_ >= text_.size() || text_[at_] != separator_) break;
        ++at_;
      }
      EndOfLine();
      if (record.fields.size() > 1 || !record.fields[0].empty()) return record;
    }
    return std::nullopt;
  }

 private:
  std::string Field(size_t line) {
    std::string field;
    const bool quoted = at_ < text_.size() && text_[at_] == '"';
    if (quoted) ++at_;
    for (;; ++at_) {
      if (at_ >= text_.size()) {
        if (quoted) Refuse(line, "a quotation mark is opened and never closed");
        break;
      }
      const char c = text_[at_];
      if (quoted && c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') {
            Refuse(line_, "something follows a closing quotation mark");
          }
          break;
        }
        ++at_;
      } else if (!quoted && (c == separator_ || c == '\n' || c == '\r')) {
        break;
      }
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) Refuse(line_, "a field has a control character or a line break in it");
      field += c;
      if (field.size() > kFieldMax) Refuse(line, "a field has more than " + std::to_string(kFieldMax) + " bytes");
    }
    if (quoted) return field;
    const size_t begin = field.find_first_not_of(' ');
    return begin == std::string::npos ? "" : field.substr(begin, field.find_last_not_of(' ') - begin + 1);
  }

  void EndOfLine() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != '\n') Refuse(line_, "a line ends in a lone carriage return");
    if (at_ < text_.size()) ++at_;
    ++line_;
  }

  std::string_view text_;
  size_t at_ = 0, line_ = 1;
  char separator_ = ',';
};

bool IsUtf8(std::string_view text) {
  try {
    static_cast<void>(sdk::Json(std::string(text)).dump());
    return true;
  } catch (const sdk::Json::exception&) {
    return false;
  }
}

constexpr std::array kColumns = {"mailbox", "source_user", "target_user", "batch", "mover", "excluded"};
constexpr size_t kRequired = 4;

std::string* Place(Box& box, size_t column) {
  return std::array{&box.mailbox, &box.source_user, &box.target_user, &box.batch, &box.mover, &box.excluded}[column];
}

// Which of kColumns each field is.
std::vector<size_t> Columns(const Record& header) {
  std::vector<size_t> columns;
  for (const std::string& name : header.fields) {
    const auto found = std::find(kColumns.begin(), kColumns.end(), name);
    // A line without header may have names in it: not shown.
    if (found == kColumns.end()) {
      Refuse(header.line, "column " + std::to_string(columns.size() + 1) + " is none of mailbox, source_user, target_user, batch, mover, excluded",
             "the first line names the columns");
    }
    const size_t column = static_cast<size_t>(found - kColumns.begin());
    if (std::count(columns.begin(), columns.end(), column) != 0) Refuse(header.line, "column " + name + " is there twice");
    columns.push_back(column);
  }
  for (size_t i = 0; i < kRequired; ++i) {
    if (std::count(columns.begin(), columns.end(), i) == 0) Refuse(header.line, std::string("column ") + kColumns[i] + " is missing");
  }
  return columns;
}

}  // namespace

std::string Box::Hash() const { return sdk::Sha256OfText(mailbox); }

std::vector<Box> Roster::Batch(const std::string& batch, const std::string& mover) const {
  std::vector<Box> mine;
  bool any = false;
  for (const Box& box : boxes) {
    any = any || box.batch == batch;
    if (box.batch == batch && (box.mover.empty() || box.mover == mover)) mine.push_back(box);
  }
  if (!any) throw Error("bad_params", "the roster has no batch " + batch.substr(0, 80), "its column `batch` names them");
  return mine;
}

Roster ParseRoster(std::string_view text) {
  Reader reader(text);
  const auto header = reader.Next();
  if (!header) Refuse(1, "it is empty", "the first line names the columns: mailbox,source_user,target_user,batch");
  const std::vector<size_t> columns = Columns(*header);
  Roster roster;
  // Of each column that may not repeat: value -> line. Two boxes copied into one would be mixed for ever.
  std::map<std::string, size_t> seen[3];
  while (const auto record = reader.Next()) {
    if (record->fields.size() != columns.size()) {
      Refuse(record->line, std::to_string(record->fields.size()) + " fields, expected " + std::to_string(columns.size()),
             "a field with the separator in it stands in quotation marks");
    }
    Box box;
    box.line = record->line;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!IsUtf8(record->fields[i])) Refuse(record->line, std::string("column ") + kColumns[columns[i]] + " is not UTF-8", "save the file as UTF-8");
      *Place(box, columns[i]) = record->fields[i];
    }
    for (size_t i = 0; i < kRequired; ++i) {
      if (Place(box, i)->empty()) Refuse(record->line, std::string("column ") + kColumns[i] + " is empty");
    }
    if (!sdk::IsName(box.batch)) Refuse(record->line, "column batch is not letters, digits and . _ + : @ -");
    if (!box.mover.empty() && !sdk::IsName(box.mover)) Refuse(record->line, "column mover is no host's name");
    for (size_t i = 0; i < 3; ++i) {
      const auto [other, is_new] = seen[i].emplace(*Place(box, i), record->line);
      if (!is_new) Refuse(record->line, std::string("column ") + kColumns[i] + " has the same value as line " + std::to_string(other->second));
    }
    roster.boxes.push_back(std::move(box));
    if (roster.boxes.size() > kBoxesMax) Refuse(record->line, "more than " + std::to_string(kBoxesMax) + " mailboxes");
  }
  if (roster.boxes.empty()) Refuse(header->line, "no mailbox follows the names of the columns");
  return roster;
}

}  // namespace reprise::mail
