#include "core/plan/backups.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"
#include "core/model/restoring.h"

namespace reprise::plan {
namespace {

constexpr size_t kLineMax = 500;

UnixMs ReadTime(Fields& fields, std::string_view key, Need need) {
  const Placed text = fields.Text(key, need);
  if (text.text.empty()) return 0;
  const auto time = ParseTime(text.text);
  if (time.ok() && *time > 0) return *time;
  fields.diagnostics()
      .Error(text.place, absl::StrCat(std::string(key), " is \"", text.text, "\""))
      .Expected("a time such as 2022-08-21T01:30:00Z (UTC)");
  return 0;
}

// One line that people will read when they sign.
std::string ReadLine(Fields& fields, std::string_view key, Need need) {
  const Placed text = fields.Text(key, need);
  if (text.text.size() <= kLineMax && crypto::FindUnplain(text.text) == std::string_view::npos) return text.text;
  fields.diagnostics()
      .Error(text.place, absl::StrCat(std::string(key), " is too long or holds control characters"))
      .Expected(absl::StrCat("one line of at most ", kLineMax, " bytes"));
  return {};
}

BackupSet ReadSet(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "a backup set", diagnostics);
  BackupSet set;
  const Placed name = fields.Name("name", Need::kRequired);
  set.name = name.text;
  set.place = name.place;
  set.title = ReadLine(fields, "title", Need::kOptional);
  set.reader = fields.Name("reader", Need::kRequired);
  fields.Done();
  return set;
}

ConcessionSpec ReadConcession(const Node& node, Diagnostics& diagnostics) {
  Fields fields(node, "a concession", diagnostics);
  ConcessionSpec concession;
  const Placed name = fields.Name("name", Need::kRequired);
  concession.name = name.text;
  concession.place = name.place;
  concession.set = fields.Name("set", Need::kRequired);
  const Placed point = fields.Text("point", Need::kRequired);
  concession.point = point.text;
  if (!point.text.empty() && !model::IsCopyName(point.text)) {
    diagnostics.Error(point.place, absl::StrCat("the point is called \"", point.text, "\""))
        .Expected("letters, digits, '.', '_' and '-', at most 128");
  }
  concession.allows = fields.Words<model::v1::Allowance>("allows");
  if (concession.allows.empty()) {
    diagnostics.Error(node.place, "the concession allows nothing")
        .Expected("allows: a list of sampled, after_compromise, unknown_trust");
  }
  concession.decided_by = fields.Name("decided_by", Need::kRequired).text;
  concession.reason = ReadLine(fields, "reason", Need::kRequired);
  concession.compensating = ReadLine(fields, "compensating", Need::kRequired);
  concession.expires = ReadTime(fields, "expires", Need::kRequired);
  fields.Done();
  return concession;
}

template <typename Read>
void ForEachItem(Fields& fields, std::string_view key, Read read) {
  const Node* list = fields.Find(key);
  if (list == nullptr || list->IsNull()) return;
  if (list->kind != Node::Kind::kList) {
    fields.diagnostics()
        .Error(list->place, absl::StrCat(std::string(key), " is ", list->Describe()))
        .Expected("a list");
    return;
  }
  for (const Node& item : list->items) read(item);
}

}  // namespace

const BackupSet* Backups::FindSet(std::string_view name) const {
  for (const BackupSet& set : sets) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

const ConcessionSpec* Backups::FindConcession(std::string_view set, std::string_view point) const {
  for (const ConcessionSpec& concession : concessions) {
    if (concession.set.text == set && concession.point == point) return &concession;
  }
  return nullptr;
}

std::vector<std::string> Backups::SetNames() const {
  std::vector<std::string> names;
  for (const BackupSet& set : sets) names.push_back(set.name);
  return names;
}

void ReadBackups(Fields& fields, Backups& backups, Diagnostics& diagnostics) {
  if (const Node* node = fields.Find("compromise"); node != nullptr) {
    Fields inner(*node, "compromise", diagnostics);
    const UnixMs first = ReadTime(inner, "first", Need::kRequired);
    inner.Done();
    if (backups.compromised != 0 && first != 0 && first != backups.compromised) {
      diagnostics.Error(node->place, "two documents date the first compromise differently")
          .Hint("the earlier of two honest estimates is the safe one");
    }
    backups.compromised = first;
  }
  ForEachItem(fields, "sets", [&](const Node& item) {
    BackupSet set = ReadSet(item, diagnostics);
    if (const BackupSet* first = backups.FindSet(set.name); first != nullptr && !set.name.empty()) {
      diagnostics.Error(set.place, absl::StrCat("the backup set ", set.name, " is declared a second time"))
          .Hint(absl::StrCat("the first is at ", diagnostics.NameOf(first->place)));
    }
    backups.sets.push_back(std::move(set));
  });
  ForEachItem(fields, "concessions", [&](const Node& item) {
    ConcessionSpec concession = ReadConcession(item, diagnostics);
    const ConcessionSpec* first = backups.FindConcession(concession.set.text, concession.point);
    if (first != nullptr && !concession.point.empty()) {
      diagnostics
          .Error(concession.place, absl::StrCat("a second concession is about ", concession.set.text, "/",
                                                concession.point))
          .Hint(absl::StrCat("the first is at ", diagnostics.NameOf(first->place), ": let one say all"));
    }
    backups.concessions.push_back(std::move(concession));
  });
  fields.Done();
}

}  // namespace reprise::plan
