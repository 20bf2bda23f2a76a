#include "plugins/backup/worker/job.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "plugins/backup/judge/source.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/packed.h"

namespace reprise::backup {
namespace {

constexpr size_t kFrameHead = 4;
constexpr size_t kListMax = 1 << 20;

// Names in evidence may be bytes that are no text; people and programs get text.
std::string ValidText(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (plain) return std::string(text);
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

// "4096 1669400000000000000"; empty: nobody looked.
std::string WhenOf(const Job& job) { return job.looked ? Words(job.size, " ", job.stamp.modified_ns) : std::string(); }
constexpr size_t kWhenMax = 42;

}  // namespace

std::string Sent(const Job& job) {
  std::string text;
  text.reserve(SentSize(job));
  const std::string_view hash = job.hash ? "h" : "";
  const std::string when = WhenOf(job);
  for (const std::string_view field : {std::string_view(job.kind), std::string_view(job.path), std::string_view(job.name),
                                       std::string_view(job.digest), hash, std::string_view(when)}) {
    text += field;
    text += '\0';
  }
  return text;
}

size_t SentSize(const Job& job) {
  return job.kind.size() + job.path.size() + job.name.size() + job.digest.size() + (job.hash ? 1 : 0) + kWhenMax + kJobFields;
}

Job ReceivedJob(std::string* fields) {
  Job job;
  job.kind = std::move(fields[0]);
  job.path = std::move(fields[1]);
  job.name = std::move(fields[2]);
  job.digest = std::move(fields[3]);
  job.hash = !fields[4].empty();
  const std::string_view when = fields[5];
  job.looked = !when.empty();
  const size_t gap = std::min(when.find(' '), when.size());
  std::from_chars(when.data(), when.data() + gap, job.size);
  job.stamp.size = job.size;
  if (gap < when.size()) std::from_chars(when.data() + gap + 1, when.data() + when.size(), job.stamp.modified_ns);
  return job;
}

std::string Packed(const JobOutcome& outcome) {
  const RepositoryOutcome& judged = outcome.judged;
  const Extent& extent = judged.outcome.extent;
  Packer packer;
  packer.text().reserve(128);
  packer.Text(judged.outcome.format).Text(outcome.sha256).Number(outcome.size).Number(static_cast<uint64_t>(outcome.modified_ns));
  packer.Number(extent.bytes).Number(extent.decoded).Number(extent.checked);
  packer.Number(judged.files).Number(judged.complete ? 1 : 0);
  packer.Number(judged.outcome.needs.size());
  for (const std::string& need : judged.outcome.needs) packer.Text(need);
  packer.Number(judged.outcome.findings.size());
  for (const Finding& finding : judged.outcome.findings) {
    packer.Number(static_cast<uint64_t>(finding.sign)).Number(finding.offset);
    packer.Text(finding.file).Text(finding.expected).Text(finding.found);
  }
  return std::move(packer.text());
}

std::optional<JobOutcome> UnpackedOutcome(std::string_view text) {
  PackReader unpacker(text);
  JobOutcome outcome;
  RepositoryOutcome& judged = outcome.judged;
  judged.outcome.format = ValidText(unpacker.Text());
  outcome.sha256 = std::string(unpacker.Text());
  outcome.size = unpacker.Number();
  outcome.modified_ns = static_cast<int64_t>(unpacker.Number());
  Extent& extent = judged.outcome.extent;
  extent.bytes = unpacker.Number();
  extent.decoded = unpacker.Number();
  extent.checked = unpacker.Number();
  judged.files = unpacker.Number();
  judged.complete = unpacker.Number() != 0;
  const uint64_t needs = unpacker.Number();
  for (uint64_t i = 0; i < needs && i < kListMax && unpacker.ok(); ++i) judged.outcome.needs.emplace_back(unpacker.Text());
  const uint64_t findings = unpacker.Number();
  for (uint64_t i = 0; i < findings && i < kListMax && unpacker.ok(); ++i) {
    Finding finding;
    const uint64_t sign = unpacker.Number();
    if (sign >= kSigns) return std::nullopt;
    finding.sign = static_cast<Sign>(sign);
    finding.offset = unpacker.Number();
    finding.file = ValidText(unpacker.Text());
    finding.expected = ValidText(unpacker.Text());
    finding.found = ValidText(unpacker.Text());
    judged.outcome.findings.push_back(std::move(finding));
  }
  const bool hash = outcome.sha256.empty() ||
                    (outcome.sha256.size() == 64 && outcome.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
  if (!unpacker.AtEnd() || !hash) return std::nullopt;
  return outcome;
}

std::string Sent(uint64_t read, const JobOutcome* outcome) {
  Packer body;
  body.Number(read);
  if (outcome != nullptr) body.Text(Packed(*outcome));
  const size_t size = body.text().size();
  std::string frame;
  for (size_t i = 0; i < kFrameHead; ++i) frame += static_cast<char>(size >> (8 * i) & 0xff);
  return frame + body.text();
}

size_t FrameAt(std::string_view text) {
  if (text.size() < kFrameHead) return 0;
  const size_t size = kFrameHead + static_cast<size_t>(LittleEndian(text.substr(0, kFrameHead)));
  return text.size() < size ? 0 : size;
}

std::optional<Answer> ParseAnswer(std::string_view frame) {
  PackReader unpacker(frame.substr(kFrameHead));
  Answer answer;
  answer.read = unpacker.Number();
  if (unpacker.AtEnd()) return answer;
  answer.outcome = UnpackedOutcome(unpacker.Text());
  if (!answer.outcome || !unpacker.AtEnd()) return std::nullopt;
  return answer;
}

}  // namespace reprise::backup
