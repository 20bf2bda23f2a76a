#include "plugins/backup/judge/examiner.h"

#include <algorithm>
#include <iterator>

#include "plugins/backup/judge/damage.h"
#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/statistics.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr size_t kHead = 4096;
constexpr size_t kSmall = 16 << 20;  // Kept in memory, so that what is broken in it can be surveyed.
constexpr size_t kNoteMax = 64 << 10;

// What the name says about who was here.
void LookAtName(const std::string& name, std::vector<Finding>& findings) {
  const std::string_view extension = RansomExtension(name);
  if (extension.empty()) return;
  findings.push_back({Sign::kTampered, name, 0, "the name that the file was saved under",
                      Words("the extension .", extension, ", which ransomware gives")});
}

// Whether a name is taken at its word although the first bytes say otherwise. ".dump" may be any database's text, too.
bool Promises(const Decoder& named, std::string_view head) {
  return named.Textual() || named.name() != std::string_view("pg_dump") || LookOf(head) != Look::kText;
}

}  // namespace

const Decoder* Examiner::ByMagic(std::string_view head, bool text) const {
  for (const auto& decoder : decoders_) {
    if (decoder->Textual() == text && decoder->Recognises(head)) return decoder.get();
  }
  return nullptr;
}

const Decoder* Examiner::ByName(std::string_view name) const {
  const std::string_view wanted = FormatByName(name);
  for (const auto& decoder : decoders_) {
    if (!wanted.empty() && decoder->name() == wanted) return decoder.get();
  }
  return nullptr;
}

Outcome Examiner::Examine(Source& source, const std::string& name, uint64_t size) {
  unpacked_ = 0;
  unpacked_max_ = limits_.unpacked_base + limits_.unpacked_factor * size;
  return One(source, name, 0);
}

Extent Examiner::Inspect(Source& source, const std::string& name, int depth, std::vector<Finding>& findings,
                         std::vector<std::string>& needs) {
  Outcome outcome = One(source, name, depth);
  std::move(outcome.needs.begin(), outcome.needs.end(), std::back_inserter(needs));
  std::move(outcome.findings.begin(), outcome.findings.end(), std::back_inserter(findings));
  return outcome.extent;
}

bool Examiner::Unpacked(uint64_t bytes) {
  unpacked_ += bytes;
  return unpacked_ <= unpacked_max_;
}

Outcome Examiner::One(Source& source, const std::string& name, int depth) {
  if (depth > limits_.depth_max) {
    return {"unknown",
            {source.Random() ? source.Size() : 1, 0, 0},
            {{Sign::kUndecided, name, 0, Words("at most ", limits_.depth_max, " archives in each other"), "more"}}};
  }
  source.Settle(kSmall);
  const std::string_view whole = source.Whole();
  const std::string kept = whole.empty() ? source.ReadString(0, kHead) : std::string();
  const std::string_view head = whole.empty() ? std::string_view(kept) : whole.substr(0, kHead);
  Outcome outcome;
  if (head.empty() && source.Error().empty()) {
    outcome = Empty(name);
  } else if (const Decoder* decoder = ByMagic(head, /*text=*/false)) {
    outcome = Decoded(source, name, depth, *decoder, head);
  } else if (const Decoder* named = ByName(name); named != nullptr && Promises(*named, head)) {
    outcome = Decoded(source, name, depth, *named, head);
  } else if ((decoder = ByMagic(head, /*text=*/true)) != nullptr) {
    outcome = Decoded(source, name, depth, *decoder, head);
  } else {
    outcome = Unknown(source, name);
  }
  if (!source.Error().empty()) {
    outcome.extent.decoded = outcome.extent.checked = 0;
    outcome.findings = {{Sign::kUnreadable, name, 0, "a file that can be read to its end", source.Error()}};
  }
  LookAtName(name, outcome.findings);
  return outcome;
}

Outcome Examiner::Empty(const std::string& name) const {
  Outcome outcome{"empty", {}, {}, {}};
  const std::string_view format = FormatByName(name);
  if (!format.empty() && format != "text" && format != "csv" && format != "jsonl") {
    outcome.findings.push_back({Sign::kTruncated, name, 0, Words("the content of a ", format), "an empty file"});
    outcome.findings.back().grammar = true;
  }
  return outcome;
}

Outcome Examiner::Decoded(Source& source, const std::string& name, int depth, const Decoder& decoder,
                          std::string_view head) {
  Outcome outcome;
  outcome.format = decoder.name();
  Report report(*this, name, depth);
  Broken broken{decoder.Dense(), decoder.Textual(), false};
  if (!decoder.Textual() && !decoder.Recognises(head)) {
    broken.magic_lost = true;
    report.Damaged(0, Words("the first bytes of a ", decoder.name()), HexOf(head));
  } else {
    decoder.Decode(source, report);
    // Asked only where it matters: to look at the first bytes again costs as much as the rest of a small file.
    broken.magic_lost = decoder.Textual() && !report.clean() && !decoder.Recognises(head);
  }
  // Who seals a file on purpose gives it another name.
  if (decoder.name() == std::string_view("sealed") && !FormatByName(name).empty() && LookOf(head) != Look::kText) {
    report.own().front().sign = Sign::kEncrypted;
    report.own().front().expected = Words("the first bytes of a ", FormatByName(name));
  }
  outcome.extent = report.ExtentOf(source.Random() ? source.Size() : std::max<uint64_t>(source.Size(), 1));
  outcome.extent.ends = decoder.Ends();
  outcome.findings = std::move(report.own());
  if (source.Random()) ExplainFindings(broken, source, outcome.findings);
  if (decoder.Textual() && source.Random() && source.Size() <= kNoteMax) {
    std::string room;
    if (IsRansomNote(name, source.View(0, kNoteMax, room))) {
      outcome.findings.push_back({Sign::kTampered, name, 0, "no demand", "a ransom note"});
      outcome.format = "ransom_note";
      outcome.extent = {};  // It is no part of the backup.
    }
  }
  std::move(report.inner().begin(), report.inner().end(), std::back_inserter(outcome.findings));
  outcome.needs = std::move(report.needs());
  return outcome;
}

Outcome Examiner::Unknown(Source& source, const std::string& name) const {
  const Survey survey = SurveyOf(source);
  Outcome outcome{"unknown", {source.Size(), 0, 0}, {}, {}};
  Finding finding{Sign::kUndecided, name, 0, "a format that this judge decodes", survey.Text()};
  const uint64_t random = survey.Of(Look::kRandom);
  finding.quiet = random == 0 && !survey.striped && !LooksLikeShortNoise(source.ReadString(0, 512));
  if (survey.head_random && !RansomExtension(name).empty()) {
    finding.sign = random * 100 >= survey.All() * 95 ? Sign::kEncrypted : Sign::kEncryptedPart;
    finding.expected = "content behind the extension of ransomware";
  } else if (survey.head_random && survey.Of(Look::kText) * 2 > survey.All()) {
    finding.sign = Sign::kEncryptedPart;
    finding.expected = "text from the first byte on, as in the rest of the file";
  }
  outcome.findings.push_back(std::move(finding));
  return outcome;
}

}  // namespace reprise::backup
