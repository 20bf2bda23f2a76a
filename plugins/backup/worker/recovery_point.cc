#include "plugins/backup/worker/recovery_point.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>

#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/worker/inventory.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kManifestMax = 64 << 20;
constexpr uint64_t kLarge = 16 << 20;
constexpr uint64_t kApartMin = 64 << 20;

class Sum {
 public:
  Sum(const std::string& path, Inventory inventory, const JudgeOptions& options)
      : inventory_(std::move(inventory)), options_(options) {
    judgement_.path = path;
    judgement_.newest_unix_ms = inventory_.newest_ns / 1'000'000;
  }

  // What manifests say is asked of each file. Large ones first, so that no child is left alone with one at the end.
  std::deque<Job> Jobs() {
    count_ = inventory_.jobs.size();
    alone_is_file_ = count_ == 1 && inventory_.jobs.front().kind == "file";
    names_.reserve(count_);
    for (const Job& job : inventory_.jobs) names_.insert(job.name);
    for (const Job& job : inventory_.jobs) {
      if (job.kind == "file" && IsManifestName(job.name) && job.size <= kManifestMax) ReadManifest(job);
    }
    if (options_.expected != nullptr) Expect(*options_.expected);
    std::deque<Job> jobs;
    for (Job& job : inventory_.jobs) {
      const std::string extension(ForeignExtension(job.name));
      if (!extension.empty()) foreign_[extension].push_back(job.name);
      jobs.push_back(std::move(job));
      if (const auto digest = digests_.find(jobs.back().name); digest != digests_.end()) jobs.back().digest = digest->second;
      Job& added = jobs.back();
      if (!options_.manifest || added.kind != "file") continue;
      // One that outweighs all the others is hashed by another child than the one that decodes it.
      const bool apart = added.size >= kApartMin && added.size * 2 > inventory_.bytes && added.digest.empty();
      added.hash = !apart;
      if (!apart) continue;
      jobs.push_back(added);
      jobs.back().kind = kHashOnly;
      jobs.back().hash = true;
    }
    if (options_.manifest || options_.expected != nullptr) {
      for (const Job& job : inventory_.inside) {
        jobs.push_back(job);
        jobs.back().hash = true;
        if (const auto digest = digests_.find(job.name); digest != digests_.end()) jobs.back().digest = digest->second;
      }
    }
    const auto small = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) { return job.size >= kLarge; });
    std::stable_sort(jobs.begin(), small, [](const Job& a, const Job& b) { return a.size > b.size; });
    return jobs;
  }

  void Add(const Job& job, JobOutcome outcome) {
    if (options_.manifest && (job.hash || job.kind == kHashOnly)) Fingerprint(job, outcome.sha256);
    RepositoryOutcome& result = outcome.judged;
    if (job.kind == kHashOnly) return AddHashed(job, outcome);
    Facts& facts = judgement_.facts;
    facts.files += result.files;
    const Extent& extent = result.outcome.extent;
    facts.extent.bytes += extent.bytes;
    facts.extent.decoded += extent.decoded;
    // A manifest that agrees with everything has itself been checked.
    facts.extent.checked += manifests_.count(job.name) > 0 ? extent.decoded : extent.checked;
    ++judgement_.formats[result.outcome.format];
    for (const std::string& need : result.outcome.needs) {
      const std::string name = (fs::path(job.name).parent_path() / need).string();
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
    if (options_.manifest) Seal();
    Count(std::move(inventory_.findings));
    for (const auto& [extension, names] : foreign_) {
      if (names.size() < 2 || names.size() * 2 < count_) continue;
      Count({{Sign::kTampered, names.front(), 0, "the names that files were saved under",
              Words(names.size(), " files with .", extension, " appended")}});
    }
    Facts& facts = judgement_.facts;
    const bool all_covered =
        std::all_of(names_.begin(), names_.end(), [this](const std::string& name) { return covered_.count(name) > 0; });
    facts.complete = count_ == 1 ? alone_is_file_ || whole_repository_ : all_covered;
    if (options_.expected != nullptr) facts.complete = facts.complete || all_expected_;
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

  // Like a list of checksums, but of the whole point, and from another time.
  void Expect(const sdk::Manifest& expected) {
    std::set<std::string> inside, listed;
    for (const Job& job : inventory_.inside) inside.insert(job.name);
    for (const sdk::ManifestFile& file : expected.files) {
      listed.insert(file.path);
      const bool there = names_.count(file.path) > 0 || inside.count(file.path) > 0;
      if (there) {
        digests_[file.path] = file.sha256;
        covered_.insert(file.path);
      } else {
        Count({{Sign::kMissing, file.path, 0, Words("the ", file.bytes, " bytes of ", file.path, ", which the earlier manifest lists"),
                "no such file"}});
      }
    }
  }
  void AddHashed(const Job& job, JobOutcome& outcome) {
    std::vector<Finding>& findings = outcome.judged.outcome.findings;
    if (findings.empty() && !job.digest.empty() && outcome.sha256 != job.digest) {
      findings.push_back({Sign::kDamaged, job.name, 0, Words("the checksum ", job.digest.substr(0, 16), "… of the manifest"),
                          Words(outcome.sha256.substr(0, 16), "…")});
    }
    Count(std::move(findings));
  }

  void Fingerprint(const Job& job, const std::string& sha256) {
    unhashed_ = unhashed_ || sha256.empty() || !sdk::IsManifestPath(job.name);
    judgement_.manifest.push_back({job.name, sha256, job.size});
  }

  // What could not be read has no manifest, and can be restored by nobody.
  void Seal() {
    auto& files = judgement_.manifest;
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    const bool folders = std::none_of(inventory_.findings.begin(), inventory_.findings.end(),
                                      [](const Finding& finding) { return finding.sign == Sign::kUnreadable; });
    if (unhashed_ || files.empty() || !folders) return;
    sdk::Sha256 hash;
    for (const sdk::ManifestFile& file : files) hash.Update(sdk::ManifestLine(file));
    judgement_.manifest_sha256 = hash.Hex();
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
  const JudgeOptions options_;
  Judgement judgement_;
  bool unhashed_ = false;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> covered_;
  size_t count_ = 0;            // Of jobs that are judged.
  bool alone_is_file_ = false;
  bool all_expected_ = false;   // The earlier manifest lists every file that is there.
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

Judgement JudgeRecoveryPoint(const std::string& path, Pool& pool, const Steps& steps, const JudgeOptions& options) {
  Sum sum(path, InventoryOf(path), options);
  std::deque<Job> jobs;
  uint64_t bytes = 0;
  uint64_t resumed = 0;
  for (Job& job : sum.Jobs()) {
    auto known = options.resume == nullptr ? std::nullopt : options.resume->Find(job);
    if (known) {
      sum.Add(job, *std::move(known));
      ++resumed;
    } else {
      bytes += job.size;
      jobs.push_back(std::move(job));
    }
  }
  if (steps.begin) steps.begin(path, bytes);
  pool.Run(
      std::move(jobs),
      [&](const Job& job, JobOutcome outcome) {
        if (options.resume != nullptr) options.resume->Record(job, outcome);
        sum.Add(job, std::move(outcome));
      },
      [&](uint64_t read) {
        if (steps.read) steps.read(read);
      });
  if (options.resume != nullptr) options.resume->Flush();
  Judgement judgement = sum.Finish();
  judgement.resumed = resumed;
  return judgement;
}

Ahead AheadOf(const std::string& path, const JudgeOptions& options) {
  Sum sum(path, InventoryOf(path), options);
  Ahead ahead;
  for (const Job& job : sum.Jobs()) {
    if (options.resume != nullptr && options.resume->Find(job)) continue;
    ++ahead.jobs;
    ahead.bytes += job.size;
  }
  return ahead;
}

}  // namespace reprise::backup
