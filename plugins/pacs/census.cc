#include "plugins/pacs/census.h"

#include <algorithm>

#include "plugins/pacs/stored_file.h"
#include "plugins/sdk/process.h"
#include "plugins/sdk/sha256.h"

namespace reprise::pacs {
namespace {

namespace fs = std::filesystem;
using sdk::Error;

constexpr size_t kBatch = 200;

std::vector<fs::path> FilesBelow(const sdk::Context& context, const fs::path& storage) {
  std::vector<fs::path> files;
  if (!fs::is_directory(storage)) {
    throw Error("not_restored", "there is no folder " + storage.string(), "run pacs.restore first");
  }
  for (const auto& entry : fs::recursive_directory_iterator(storage)) {
    context.ThrowIfCancelled();
    if (entry.symlink_status().type() == fs::file_type::regular) files.push_back(fs::relative(entry.path(), storage));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Files of one call of dcmdump: where they are, and how they are named in the storage.
struct Batch {
  std::vector<std::string> paths;
  std::vector<fs::path> names;
  std::vector<bool> compressed;
};

std::string WhyUnreadable(const sdk::Context& context, const std::string& path) {
  sdk::RunOptions options;
  options.output_max = 4096;
  const sdk::RunResult result = sdk::Run(context, {"dcmdump", "+fo", "+M", "+P", "0008,0018", path}, options);
  const size_t begin = result.err.find(": ");
  std::string why = begin == std::string::npos ? "" : result.err.substr(begin + 2, 200);
  if (const size_t named = why.find(": reading file"); named != std::string::npos) why.resize(named);
  std::replace(why.begin(), why.end(), '\n', ' ');
  return "dcmdump cannot read it: " + (why.empty() ? "it does not say why" : why);
}

// What differs beyond the header that a node writes anew.
std::string Content(const sdk::Context& context, const fs::path& storage, const Instance& instance) {
  const PlainFile plain(context, storage, instance);
  return sdk::Sha256OfFile(plain.path());
}

class Taker {
 public:
  Taker(const sdk::Context& context, const fs::path& storage, Census& census)
      : context_(context), storage_(storage), census_(census) {}

  void Add(const fs::path& name) {
    const StoredFile found = LookAtStored(storage_ / name);
    switch (found.kind) {
      case StoredKind::kAttachment: ++census_.attachments; return;
      case StoredKind::kIndex:
      case StoredKind::kList: return;
      case StoredKind::kForeign: census_.foreign.push_back(name.string()); return;
      case StoredKind::kDamaged: census_.damaged.push_back({name.string(), found.why}); return;
      case StoredKind::kDicom: break;
    }
    fs::path path = storage_ / name;
    if (found.compressed) {
      path = context_.work_dir() / ("plain-" + std::to_string(batch_.paths.size()));
      Decompress(storage_ / name, path);
    }
    batch_.paths.push_back(path.string());
    batch_.names.push_back(name);
    batch_.compressed.push_back(found.compressed);
    if (batch_.paths.size() == kBatch) Flush();
  }

  void Flush() {
    if (batch_.paths.empty()) return;
    std::vector<std::string> command = DumpCommand();
    command.insert(command.end(), batch_.paths.begin(), batch_.paths.end());
    sdk::RunOptions options;
    options.output_max = 8 << 20;
    const sdk::RunResult result = sdk::Run(context_, command, options);
    if (result.truncated || result.signal != 0 || result.timed_out) throw Error("program_failed", "dcmdump: " + result.Why());
    const auto dumped = ReadDump(result.out, batch_.paths);
    for (size_t i = 0; i < dumped.size(); ++i) Take(i, dumped[i]);
    for (size_t i = 0; i < batch_.paths.size(); ++i) {
      if (batch_.compressed[i]) sdk::RemoveFile(batch_.paths[i]);
    }
    batch_ = {};
  }

  // Headers without pixels whose whole file is not there.
  void Finish() {
    for (auto& [instance, name] : headers_) {
      if (census_.instances.contains(instance)) {
        ++census_.attachments;
      } else {
        census_.damaged.push_back({name, "the pixels are missing: only its header is left"});
      }
    }
    std::sort(census_.damaged.begin(), census_.damaged.end(),
              [](const Damage& a, const Damage& b) { return a.file < b.file; });
  }

 private:
  void Take(size_t i, const std::optional<DumpedFile>& dumped) {
    const std::string name = batch_.names[i].string();
    if (!dumped) {
      census_.damaged.push_back({name, WhyUnreadable(context_, batch_.paths[i])});
      return;
    }
    if (!dumped->instance.empty() && dumped->IsHeaderOnly()) {
      headers_.emplace(dumped->instance, name);
      return;
    }
    if (const std::string why = dumped->WhyIncomplete(); !why.empty()) {
      census_.damaged.push_back({name, why});
      return;
    }
    const bool native = dumped->has_pixels && dumped->pixel_bytes.value_or(0) > 0;
    Instance instance{batch_.names[i], batch_.compressed[i], native, dumped->study, dumped->series};
    const auto [there, added] = census_.instances.emplace(dumped->instance, instance);
    if (!added) {
      if (Content(context_, storage_, instance) == Content(context_, storage_, there->second)) {
        ++census_.copies;
      } else {
        census_.conflicts.push_back({name, "has other content than " + there->second.file.string() + ", and is the same instance"});
      }
      return;
    }
    census_.patients.insert(dumped->patient);
    census_.studies.insert(dumped->study);
    census_.series.insert(dumped->series);
  }

  const sdk::Context& context_;
  const fs::path& storage_;
  Census& census_;
  Batch batch_;
  std::map<std::string, std::string> headers_;
};

std::string Some(const std::vector<Damage>& list, const char* what) {
  if (list.empty()) return "";
  return std::to_string(list.size()) + " " + what + " (" + list[0].file + ": " + list[0].why +
         (list.size() > 1 ? ", …" : "") + "); ";
}

}  // namespace

std::string Counts::Shown() const {
  return std::to_string(patients) + " patients, " + std::to_string(studies) + " studies, " + std::to_string(series) +
         " series, " + std::to_string(instances) + " instances";
}

std::string Census::WhyNotWhole() const {
  std::string why = Some(damaged, "damaged files") + Some(conflicts, "files in conflict");
  if (!foreign.empty()) {
    why += std::to_string(foreign.size()) + " files that are no part of a storage (" + foreign[0] +
           (foreign.size() > 1 ? ", …" : "") + "); ";
  }
  if (instances.empty()) why += "not one instance; ";
  return why.substr(0, why.size() < 2 ? 0 : why.size() - 2);
}

Census TakeCensus(const sdk::Context& context, const fs::path& storage,
                  const std::function<void(uint64_t, uint64_t)>& done) {
  const std::vector<fs::path> files = FilesBelow(context, storage);
  Census census;
  Taker taker(context, storage, census);
  for (size_t i = 0; i < files.size(); ++i) {
    context.ThrowIfCancelled();
    taker.Add(files[i]);
    if (done && i % kBatch == 0) done(i, files.size());
  }
  taker.Flush();
  taker.Finish();
  return census;
}

PlainFile::PlainFile(const sdk::Context& context, const fs::path& storage, const Instance& instance)
    : path_(storage / instance.file) {
  if (!instance.compressed) return;
  std::string name = (context.work_dir() / "plain.XXXXXX").string();
  sdk::Fd fd(mkostemp(name.data(), O_CLOEXEC));
  if (!fd) sdk::ThrowErrno(errno, "create " + name);
  const std::string why = Decompress(path_, name);
  if (!why.empty()) throw Error("changed", path_.string() + " " + why + ": it was whole a moment ago");
  path_ = name;
  copy_ = true;
}

PlainFile::~PlainFile() {
  if (copy_) unlink(path_.c_str());
}

}  // namespace reprise::pacs
