#include "plugins/backup/worker/recovery_point.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
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

// The names of all files, which may be very many: kept behind each other, and looked up only if anything asks for one.
class NameSet {
 public:
  void Add(const std::string& name) {
    text_ += name;
    ends_.push_back(text_.size());
    index_.clear();
  }
  size_t size() const { return ends_.size(); }
  bool Has(const std::string& name) {
    if (index_.empty()) {
      index_.reserve(size());
      AllOf([this](std::string_view one) { return index_.insert(one), true; });
    }
    return index_.count(name) > 0;
  }
  // Stops at the first of which it does not hold.
  template <typename Holds>
  bool AllOf(const Holds& holds) const {
    size_t begin = 0;
    for (const size_t end : ends_) {
      if (!holds(std::string_view(text_).substr(begin, end - begin))) return false;
      begin = end;
    }
    return true;
  }

 private:
  std::string text_;
  std::vector<size_t> ends_;
  std::unordered_set<std::string_view> index_;
};

class Sum {
 public:
  Sum(const std::string& path, Inventory inventory, const JudgeOptions& options)
      : inventory_(std::move(inventory)), options_(options) {
    judgement_.path = path;
    newest_ns_ = inventory_.newest_ns;
  }

  // What manifests say is asked of each file. Large ones first, so that no child is left alone with one at the end.
  std::deque<Job> Jobs() {
    std::deque<Job>& jobs = inventory_.jobs;
    count_ = jobs.size();
    alone_is_file_ = count_ == 1 && jobs.front().kind == "file";
    for (const Job& job : jobs) names_.Add(job.name);
    for (const Job& job : jobs) {
      if (job.kind == "file" && IsManifestName(job.name) && job.size <= kManifestMax) ReadManifest(job);
    }
    if (options_.expected != nullptr) Expect(*options_.expected);
    bool large = false;
    for (size_t i = 0; i < count_; ++i) {
      Job& job = jobs[i];
      const std::string_view extension = ForeignExtension(job.name);
      if (!extension.empty()) foreign_[std::string(extension)].push_back(job.name);
      if (const auto digest = digests_.find(job.name); digest != digests_.end()) job.digest = digest->second;
      large = large || job.size >= kLarge;
      if (!options_.manifest || job.kind != "file") continue;
      // One that outweighs all the others is hashed by another child than the one that decodes it.
      const bool apart = job.size >= kApartMin && job.size * 2 > inventory_.bytes && job.digest.empty();
      job.hash = !apart;
      if (!apart) continue;
      Job hashed = job;
      hashed.kind = kHashOnly;
      hashed.hash = true;
      jobs.push_back(std::move(hashed));
    }
    if (options_.manifest || options_.expected != nullptr) {
      for (const Job& job : inventory_.inside) {
        jobs.push_back(job);
        jobs.back().hash = true;
        large = large || job.size >= kLarge;
        if (const auto digest = digests_.find(job.name); digest != digests_.end()) jobs.back().digest = digest->second;
      }
    }
    if (large) {
      const auto small = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) { return job.size >= kLarge; });
      std::stable_sort(jobs.begin(), small, [](const Job& a, const Job& b) { return a.size > b.size; });
    }
    return std::move(jobs);
  }

  void Add(const Job& job, JobOutcome outcome) {
    newest_ns_ = std::max(newest_ns_, outcome.modified_ns);
    if (options_.manifest && (job.hash || job.kind == kHashOnly)) Fingerprint(job, outcome);
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
      // pg_dump's list of large objects names them without what compressed them.
      const bool there = names_.Has(name) || names_.Has(name + ".gz") || names_.Has(name + ".lz4") || names_.Has(name + ".zst");
      if (!there && names_.size() > 1) {
        result.outcome.findings.push_back(
            {Sign::kMissing, job.name, 0, Words("the file ", name, " beside it"), "no such file"});
      }
    }
    whole_repository_ = whole_repository_ || result.complete;
    Count(std::move(result.outcome.findings));
  }

  Judgement Finish() {
    judgement_.newest_unix_ms = newest_ns_ / 1'000'000;
    if (options_.manifest) Seal();
    Count(std::move(inventory_.findings));
    for (const auto& [extension, names] : foreign_) {
      if (names.size() < 2 || names.size() * 2 < count_) continue;
      Count({{Sign::kTampered, names.front(), 0, "the names that files were saved under",
              Words(names.size(), " files with .", extension, " appended")}});
    }
    Facts& facts = judgement_.facts;
    const bool all_covered = names_.AllOf([this](std::string_view name) { return covered_.count(std::string(name)) > 0; });
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
      if (!names_.Has(name)) {
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
      const bool there = names_.Has(file.path) || inside.count(file.path) > 0;
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

  void Fingerprint(const Job& job, const JobOutcome& outcome) {
    unhashed_ = unhashed_ || outcome.sha256.empty() || !sdk::IsManifestPath(job.name);
    judgement_.manifest.push_back({job.name, outcome.sha256, outcome.size});
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
  int64_t newest_ns_ = 0;
  const JudgeOptions options_;
  Judgement judgement_;
  bool unhashed_ = false;
  NameSet names_;
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
  std::error_code unknown;  // The inventory says what is wrong with the path.
  if (fs::is_directory(path, unknown)) pool.Prepare();
  // Records are found again by size and times, of every file.
  Sum sum(path, InventoryOf(path, /*every=*/options.resume != nullptr), options);
  std::deque<Job> jobs = sum.Jobs();
  uint64_t resumed = 0;
  if (options.resume != nullptr) {
    std::deque<Job> ahead;
    for (Job& job : jobs) {
      if (auto known = options.resume->Find(job)) {
        sum.Add(job, *std::move(known));
        ++resumed;
      } else {
        ahead.push_back(std::move(job));
      }
    }
    jobs = std::move(ahead);
  }
  uint64_t bytes = 0;
  for (const Job& job : jobs) bytes += job.size;
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
