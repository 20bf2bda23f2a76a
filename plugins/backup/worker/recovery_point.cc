#include "plugins/backup/worker/recovery_point.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/inventory.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kManifestMax = 64 << 20;

class Sum {
 public:
  Sum(const std::string& path, Inventory inventory) : inventory_(std::move(inventory)) { judgement_.path = path; }

  // What manifests say is asked of each file.
  std::deque<Job> Jobs() {
    for (const Job& job : inventory_.jobs) names_.insert(job.name);
    for (const Job& job : inventory_.jobs) {
      if (job.kind == "file" && IsManifestName(job.name) && job.size <= kManifestMax) ReadManifest(job);
    }
    std::deque<Job> jobs;
    for (Job& job : inventory_.jobs) {
      const auto digest = digests_.find(job.name);
      if (digest != digests_.end()) job.digest = digest->second;
      const std::string extension(ForeignExtension(job.name));
      if (!extension.empty()) foreign_[extension].push_back(job.name);
      jobs.push_back(job);
    }
    return jobs;
  }

  void Add(const Job& job, RepositoryOutcome result) {
    Facts& facts = judgement_.facts;
    facts.files += result.files;
    const Extent& extent = result.outcome.extent;
    facts.extent.bytes += extent.bytes;
    facts.extent.decoded += extent.decoded;
    // A manifest that agrees with everything has itself been checked.
    facts.extent.checked += manifests_.count(job.name) > 0 ? extent.decoded : extent.checked;
    ++judgement_.formats[result.outcome.format];
    const fs::path folder = fs::path(job.name).parent_path();
    for (const std::string& need : result.outcome.needs) {
      const std::string name = (folder / need).string();
      covered_.insert(name);
      covered_.insert(job.name);
      if (names_.count(name) == 0 && names_.size() > 1) {
        result.outcome.findings.push_back(
            {Sign::kMissing, job.name, 0, Words("the file ", name, " beside it"), "no such file"});
      }
    }
    whole_repository_ = whole_repository_ || result.complete;
    Count(std::move(result.outcome.findings));
  }

  Judgement Finish() {
    Count(std::move(inventory_.findings));
    for (const auto& [extension, names] : foreign_) {
      if (names.size() < 2 || names.size() * 2 < inventory_.jobs.size()) continue;
      Count({{Sign::kTampered, names.front(), 0, "the names that files were saved under",
              Words(names.size(), " files with .", extension, " appended")}});
    }
    Facts& facts = judgement_.facts;
    const bool alone = inventory_.jobs.size() == 1;
    const bool all_covered =
        std::all_of(names_.begin(), names_.end(), [this](const std::string& name) { return covered_.count(name) > 0; });
    facts.complete = alone ? inventory_.jobs.front().kind == "file" || whole_repository_ : all_covered;
    judgement_.verdict = VerdictOf(facts);
    Explain();
    if (judgement_.evidence.empty() && !IsSound(judgement_.verdict)) {
      judgement_.evidence.push_back({Sign::kUndecided, judgement_.path, 0, "content to be judged", "not one byte"});
    }
    std::stable_sort(judgement_.evidence.begin(), judgement_.evidence.end(),
                     [](const Finding& a, const Finding& b) { return a.sign < b.sign; });
    if (judgement_.evidence.size() > kEvidenceMax) {
      judgement_.evidence_left_out += judgement_.evidence.size() - kEvidenceMax;
      judgement_.evidence.resize(kEvidenceMax);
    }
    return std::move(judgement_);
  }

 private:
  void ReadManifest(const Job& job) {
    std::string text;
    try {
      text = sdk::ReadFile(job.path, kManifestMax);
    } catch (const std::exception&) {
      return;  // It is a job too, and its outcome will say so.
    }
    const Manifest manifest = ParseManifest(job.name, text);
    Count(manifest.findings);
    for (const auto& [name, line] : manifest.files) {
      manifests_.insert(job.name);
      covered_.insert(job.name);
      covered_.insert(name);
      digests_[name] = line.digest;
      if (names_.count(name) == 0) {
        Count({{Sign::kMissing, job.name, line.offset, Words("the file ", name, ", which this manifest lists"),
                "no such file"}});
      }
    }
  }

  // Of one file: each sign counts once.
  void Count(std::vector<Finding> findings) {
    std::set<Sign> signs;
    for (Finding& finding : findings) {
      signs.insert(finding.sign);
      if (finding.sign == Sign::kMissing) Miss(Words(finding.expected, " (", finding.file, ")"));
      if (finding.sign == Sign::kTruncated)
        Miss(Words(finding.file, " from byte ", finding.offset, " on: ", finding.expected));
      // Memory stays bounded: of very many findings the least bad go.
      if (judgement_.evidence.size() < 50 * kEvidenceMax || finding.sign <= Sign::kTruncated)
        judgement_.evidence.push_back(std::move(finding));
      if (judgement_.evidence.size() > 100 * kEvidenceMax) {
        judgement_.evidence.pop_back();
        ++judgement_.evidence_left_out;
      }
    }
    for (const Sign sign : signs) ++judgement_.facts.files_with[static_cast<size_t>(sign)];
  }

  void Miss(std::string what) {
    if (judgement_.missing.size() < kEvidenceMax) judgement_.missing.push_back(std::move(what));
  }

  void Explain() {
    const Facts& facts = judgement_.facts;
    std::string& basis = judgement_.basis;
    basis = Words(facts.files, facts.files == 1 ? " file, " : " files, ", facts.extent.bytes,
                  " bytes: ", facts.extent.decoded, " decoded to their end, ", facts.extent.checked,
                  " of them under checksums that agree");
    if (judgement_.verdict != Verdict::kIntactSampled) return;
    if (facts.extent.checked < facts.extent.bytes) basis += Words("; a changed letter in the rest would not be seen");
    if (!facts.complete) basis += Words("; nothing says which files there must be (a list such as SHA256SUMS would)");
  }

  Inventory inventory_;
  Judgement judgement_;
  std::set<std::string> names_;
  std::set<std::string> covered_;
  std::set<std::string> manifests_;
  std::map<std::string, std::string> digests_;
  std::map<std::string, std::vector<std::string>> foreign_;
  bool whole_repository_ = false;
};

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(std::min(part, whole)) / static_cast<double>(whole);
}

}  // namespace

double Judgement::Coverage() const {
  return Share(facts.extent.decoded, facts.extent.bytes);
}
double Judgement::Checked() const {
  return Share(facts.extent.checked, facts.extent.bytes);
}

Judgement JudgeRecoveryPoint(const std::string& path, Pool& pool, const Steps& steps) {
  Inventory inventory = InventoryOf(path);
  if (steps.begin) steps.begin(path, inventory.bytes);
  Sum sum(path, std::move(inventory));
  pool.Run(
      sum.Jobs(), [&](const Job& job, RepositoryOutcome result) { sum.Add(job, std::move(result)); },
      [&](uint64_t read) {
        if (steps.read) steps.read(read);
      });
  return sum.Finish();
}

}  // namespace reprise::backup
