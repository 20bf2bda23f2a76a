#include "plugins/backup/actions/custody.h"

#include <sys/stat.h>

#include <algorithm>

#include "plugins/backup/actions/custody_log.h"
#include "plugins/backup/actions/when.h"
#include "plugins/backup/judge/words.h"
#include "plugins/sdk/manifest.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;
using sdk::ClaimState;
using sdk::Error;
using sdk::Json;

constexpr const char* kCustodyClaim = "backup.custody";
constexpr const char* kFolder = "/var/lib/reprise-custody";
constexpr size_t kManifestMax = size_t{1} << 30;

// Where records may be kept: the signers of a plan read these.
constexpr const char* kFolders[] = {kFolder, "/media", "/mnt", "/srv"};

fs::path Folder(const sdk::Context& context) {
  const std::string folder = fs::path(context.Param("folder")).lexically_normal().string();
  for (const char* one : kFolders) {
    if (folder == one || StartsWith(folder, Words(one, "/"))) return folder;
  }
  throw Error("bad_params", "parameter folder is " + folder + ", expected one below " + kFolder + ", /media, /mnt or /srv");
}

// What makes a record the one that is wanted.
Json WantedRecord(const sdk::Context& context) {
  Json wanted = {{"set", context.Param("set")},           {"point", context.Param("point")},
                 {"source", context.Param("source")},     {"operator", context.Param("operator")},
                 {"decision", context.Param("decision")}, {"place", context.Param("place", std::string())}};
  return wanted;
}

struct Held {
  std::optional<Json> record;
  sdk::Manifest manifest;
  std::string why;  // There is none, or it is not what it was; empty: all is well.
};

// The newest record of this copy, and its manifest as it was written then.
Held Find(const sdk::Context& context) {
  const fs::path folder = Folder(context);
  const Json wanted = WantedRecord(context);
  Held held;
  for (Json& record : CustodyLog(folder).Records()) {
    const bool same = std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
      return record.value(item.key(), Json()) == item.value();
    });
    if (same) held.record = std::move(record);
  }
  if (!held.record) {
    held.why = "there is no such record in " + CustodyLog(folder).path().string();
    return held;
  }
  const fs::path file = folder / held.record->value("manifest", "?");
  const auto text = sdk::ReadFileIfThere(file, kManifestMax);
  if (!text || sdk::Sha256OfText(*text) != held.record->value("manifest_sha256", "")) {
    held.why = file.string() + (text ? " is not the manifest that the record names" : " is not there");
    return held;
  }
  held.manifest = sdk::ParseManifest(*text);
  return held;
}

// A file that came since. Empty: none.
std::string MoreThan(const fs::path& source, const sdk::Manifest& manifest) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(source, error), end; !error && at != end; at.increment(error)) {
    if (!fs::is_regular_file(at->symlink_status(error))) continue;
    const std::string path = at->path().lexically_relative(source).string();
    const auto known = std::lower_bound(manifest.files.begin(), manifest.files.end(), path,
                                        [](const sdk::ManifestFile& file, const std::string& name) { return file.path < name; });
    if (known == manifest.files.end() || known->path != path) return path + " is there, and the record knows no such file";
  }
  return error ? Words(source.string(), " cannot be listed: ", error.message()) : "";
}

// Names and sizes only. Empty: as the manifest has them.
std::string SizesDiffer(const fs::path& source, const sdk::Manifest& manifest) {
  struct stat about {};
  const bool single = stat(source.c_str(), &about) == 0 && S_ISREG(about.st_mode);
  for (const sdk::ManifestFile& file : manifest.files) {
    const fs::path path = single ? source : source / file.path;
    if (lstat(path.c_str(), &about) != 0 && !single) return file.path + " is not there any more";
    if (static_cast<uint64_t>(about.st_size) != file.bytes) {
      return Words(file.path, " has ", about.st_size, " bytes, it had ", file.bytes);
    }
  }
  return single ? "" : MoreThan(source, manifest);
}

sdk::ManifestOptions WithProgress(sdk::Context& context, uint64_t all, uint64_t& read) {
  return {[&context, all, &read](uint64_t bytes) {
    read += bytes;
    if (read / (64 << 20) == (read - bytes) / (64 << 20)) return;
    context.Progress(all == 0 ? -1 : std::min(1.0, static_cast<double>(read) / static_cast<double>(all)),
                     Words(read / 1'000'000, " MB read"));
  }};
}

std::string Describe(const Json& record) {
  return Words("record ", record.value("sequence", 0), ": ", record.value("files", 0), " files, ", record.value("bytes", uint64_t{0}),
               " bytes, manifest ", record.value("manifest_sha256", "").substr(0, 16), "…, taken on ", record.value("host", ""), " at ",
               record.value("at", ""), " by ", record.value("operator", ""));
}

}  // namespace

sdk::ActionInfo Custody::Describe() const {
  return {.name = "custody",
          .summary = "Take a copy into custody: its manifest, and who, when, where, by whose decision",
          .effect = sdk::Effect::kChange,
          .undoable = false,
          .needs = {.root = true, .network = false, .paths = {std::begin(kFolders), std::end(kFolders)}},
          .timeout = "12h",
          .memory_mb = 1024,
          .params = {sdk::Path("source").Required().About("The copy: a file or folder, attached read-only"),
                     sdk::Path("folder").Default(kFolder).About("Where manifests and custody.jsonl are kept: below this, /media, /mnt or /srv"),
                     sdk::Name("set").Required().About("The backup set"),
                     sdk::Name("point").Required().About("The recovery point"),
                     sdk::Text("operator").Required().AtMost(200).About("Who takes it"),
                     sdk::Text("decision").Required().AtMost(1000).About("By whose decision, and why"),
                     sdk::Text("place").Default("").AtMost(200).About("Where the medium is: room, safe, seal"),
                     sdk::Number("sample").Range(0.1, 100).Default(100).About("Per cent of the files that verify reads again")}};
}

sdk::ProbeResult Custody::Probe(sdk::Context& context) {
  const Held held = Find(context);
  std::string why = held.why;
  if (why.empty()) why = SizesDiffer(context.Param("source"), held.manifest);
  const std::string detail = why.empty() ? backup::Describe(*held.record) : why;
  // Only names and sizes were looked at: that a copy is the same is what verify says.
  return {.holds = why.empty(),
          .summary = detail,
          .observed = {{"record", held.record ? *held.record : Json()}},
          .evidence = {{"file", detail}},
          .claims = {{kCustodyClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult Custody::Plan(sdk::Context& context) {
  const Held held = Find(context);
  if (held.why.empty() && SizesDiffer(context.Param("source"), held.manifest).empty()) return {{}, "nothing to do"};
  const fs::path folder = Folder(context);
  return {{{"file " + CustodyLog(folder).path().string(), "no such record", "one more record, and its manifest beside it"}},
          "the copy itself is only read"};
}

sdk::ApplyResult Custody::Apply(sdk::Context& context) {
  const Held held = Find(context);
  const fs::path source = context.Param("source");
  if (held.why.empty() && SizesDiffer(source, held.manifest).empty()) return {false, backup::Describe(*held.record)};
  const fs::path folder = Folder(context);
  fs::create_directories(folder);
  uint64_t read = 0;
  const sdk::Manifest manifest = sdk::ManifestOf(context, source, WithProgress(context, 0, read));
  if (manifest.files.empty()) throw Error("nothing_there", source.string() + " has no file", "is the copy attached?");
  const std::string text = manifest.Text();
  const std::string sha256 = sdk::Sha256OfText(text);
  // Named by its content: a verb killed before the record leaves a file that the next one writes again.
  const std::string name = context.Param("set") + "-" + context.Param("point") + "-" + sha256.substr(0, 16) + ".manifest";
  sdk::WriteFileAtomically(folder / name, text, 0600);
  Json record = WantedRecord(context);
  record["at"] = MomentText(std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::system_clock::now().time_since_epoch()).count());
  record["host"] = context.host();
  record["manifest"] = name;
  record["manifest_sha256"] = sha256;
  record["files"] = manifest.files.size();
  record["bytes"] = manifest.Bytes();
  record["not_in_manifest"] = manifest.problems;
  const std::string line = CustodyLog(folder).Append(record);
  return {true, Words(manifest.files.size(), " files, ", manifest.Bytes(), " bytes in custody; SHA-256 of the record: ", line)};
}

sdk::VerifyResult Custody::Verify(sdk::Context& context) {
  const Held held = Find(context);
  const fs::path source = context.Param("source");
  std::string why = held.why;
  if (why.empty()) why = SizesDiffer(source, held.manifest);
  size_t again = 0;
  if (why.empty()) {
    struct stat about {};
    const bool single = stat(source.c_str(), &about) == 0 && S_ISREG(about.st_mode);
    const auto limit = static_cast<uint64_t>(context.Param<double>("sample") / 100 * 65536);
    const size_t all = held.manifest.files.size();
    for (size_t i = 0; i < all && why.empty(); ++i) {
      context.ThrowIfCancelled();
      const sdk::ManifestFile& file = held.manifest.files[i];
      // By the path's hash: the same files each time, and not the first ones only. The first always.
      if (i > 0 && std::stoul(sdk::Sha256OfText(file.path).substr(0, 4), nullptr, 16) >= limit) continue;
      ++again;
      if (i % 64 == 0) context.Progress(static_cast<double>(i) / static_cast<double>(all), Words(again, " files read again"));
      const std::string found = sdk::Sha256OfFile(single ? source : source / file.path);
      if (found != file.sha256) why = Words(file.path, " has SHA-256 ", found.substr(0, 16), "…, it had ", file.sha256.substr(0, 16), "…");
    }
  }
  const std::string read = Words(again, " of ", held.manifest.files.size(), " files read again");
  const std::string detail = why.empty() ? backup::Describe(*held.record) + "; " + read : why;
  return {.holds = why.empty(),
          .summary = detail,
          .evidence = {{"file", detail}, {"file", read + (why.empty() ? ": they agree" : "")}},
          .claims = {{kCustodyClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

}  // namespace reprise::backup
