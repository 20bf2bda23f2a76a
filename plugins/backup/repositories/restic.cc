// A restic repository, without restic: every file against the SHA-256 that is its name (needs no password); with a
// password also the index against the packs, and every snapshot's trees against the index. `restic check` says "no
// errors" of a repository whose index and snapshots were renamed, and advises `prune`, which would destroy what is
// left: nothing of it is ever run here.
#include <algorithm>
#include <map>
#include <optional>

#include "plugins/backup/judge/names.h"
#include "plugins/backup/judge/source.h"
#include "plugins/backup/judge/statistics.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/repositories/repository.h"
#include "plugins/backup/repositories/restic_contents.h"
#include "plugins/backup/repositories/restic_key.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMetadataMax = size_t{256} << 20;
constexpr const char* kFolders[] = {"data", "index", "keys", "snapshots"};

bool IsId(std::string_view name) {
  return name.size() == 64 && std::all_of(name.begin(), name.end(), IsLowerHex);
}

// One look at one repository.
class Inspection {
 public:
  Inspection(const fs::path& folder, std::string name, const Repository::Progress& progress)
      : folder_(folder), name_(std::move(name)), progress_(progress) {
    result_.outcome.format = "restic";
  }

  RepositoryOutcome Run() {
    Files();
    Config();
    std::string why;
    const auto password = ResticPassword(&why);
    const std::optional<ResticKey> key = password ? OpenAny(*password) : std::nullopt;
    if (!password) {
      Add(Sign::kUnreadable, "keys", "the repository's password, in RESTIC_PASSWORD or RESTIC_PASSWORD_FILE",
          why);
    } else if (!key && ids_["keys"].empty()) {
      Add(Sign::kMissing, "keys", "at least one key file", "none");
    } else if (!key) {
      Add(Sign::kUnreadable, "keys", "a key that the given password opens", Words("none of ", ids_["keys"].size()));
    } else {
      Contents(*key);
    }
    if (ids_["snapshots"].empty()) Add(Sign::kMissing, "snapshots", "at least one snapshot", "none");
    if (ids_["data"].size() > 0 && ids_["index"].empty())
      Add(Sign::kMissing, "index", "at least one index file", "none");
    return std::move(result_);
  }

 private:
  void Add(Sign sign, const std::string& file, std::string expected, std::string found) {
    if (result_.outcome.findings.size() < 200) {
      result_.outcome.findings.push_back({sign, Words(name_, "/", file), 0, std::move(expected), std::move(found)});
    }
  }

  void Files() {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder_, error)) {
      if (!entry.is_regular_file(error) || entry.is_symlink(error)) continue;
      const std::string file = entry.path().lexically_relative(folder_).string();
      const std::string kind = file.substr(0, file.find('/'));
      if (kind == "locks") continue;  // Says only who was at work.
      const uint64_t size = entry.file_size(error);
      result_.outcome.extent.bytes += size;
      ++result_.files;
      if (file == "config") continue;
      One(file, kind, entry.path(), size);
    }
    if (error) Add(Sign::kUnreadable, "", "a folder that can be read", error.message());
  }

  void One(const std::string& file, const std::string& kind, const fs::path& path, uint64_t size) {
    const std::string id = path.filename().string();
    const bool known = std::find(std::begin(kFolders), std::end(kFolders), kind) != std::end(kFolders);
    const bool placed = kind != "data" || file == Words("data/", id.substr(0, 2), "/", id);
    if (!known || !IsId(id) || !placed) {
      Add(Sign::kTampered, file, "only names that restic gives (64 hexadecimal digits)", id);
      if (!IsId(id.substr(0, 64))) return;
      // Its name still says what it was: whether its content is that, too.
      std::string error;
      const std::string now = SumOrSay(path, error);
      if (now != id.substr(0, 64)) {
        Add(Sign::kEncryptedPart, file,
            Words("content with the SHA-256 ", id.substr(0, 16), "…, as before it was renamed"),
            Words(now.substr(0, 16), error));
      }
      return;
    }
    std::string error;
    const std::string sum = SumOrSay(path, error);
    if (sum.empty()) return Add(Sign::kUnreadable, file, "a file that can be read", error);
    if (sum != id) {
      sizes_[id] = size;
      const bool key_lost = kind == "keys" && LookOf(sdk::ReadFile(path, kMetadataMax)) == Look::kOther;
      return Add(size == 0  ? Sign::kTruncated
                 : key_lost ? Sign::kEncrypted
                            : Sign::kDamaged,
                 file, Words("content with the SHA-256 ", id.substr(0, 16), "…, its name"),
                 Words("SHA-256 ", sum.substr(0, 16), "…, ", size, " bytes"));
    }
    ids_[kind].push_back(id);
    result_.outcome.extent.decoded += size;
    result_.outcome.extent.checked += size;
  }

  std::string SumOrSay(const fs::path& path, std::string& error) {
    try {
      return Sum(path);
    } catch (const std::exception& problem) {
      error = problem.what();
      return "";
    }
  }

  std::string Sum(const fs::path& path) {
    sdk::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) sdk::ThrowErrno(errno, "open");
    sdk::Sha256 hash;
    std::string buffer(1 << 20, '\0');
    for (;;) {
      const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) sdk::ThrowErrno(errno, "read");
      if (got == 0) return hash.Hex();
      hash.Update({buffer.data(), static_cast<size_t>(got)});
      progress_(static_cast<uint64_t>(got));
    }
  }

  void Config() {
    const auto text = ReadOrSay("config");
    if (!text) return;
    config_ = *text;
    if (config_.size() < 32) Add(Sign::kTruncated, "config", "a sealed configuration", Words(config_.size(), " bytes"));
  }

  std::optional<std::string> ReadOrSay(const std::string& file) {
    try {
      auto text = sdk::ReadFileIfThere(folder_ / file, kMetadataMax);
      if (!text) Add(Sign::kMissing, file, Words("the file ", file), "none");
      return text;
    } catch (const std::exception& problem) {
      Add(Sign::kUnreadable, file, "a file that can be read", problem.what());
      return std::nullopt;
    }
  }

  std::optional<ResticKey> OpenAny(const std::string& password) {
    for (const std::string& id : ids_["keys"]) {
      const auto text = ReadOrSay("keys/" + id);
      if (!text) continue;
      if (auto key = ResticKey::Open(*text, password)) return key;
    }
    return std::nullopt;
  }

  void Contents(const ResticKey& key) {
    if (!config_.empty() && !key.Decrypt(config_)) {
      Add(Sign::kDamaged, "config", "a configuration sealed with the repository's key",
          "a MAC that does not agree (not a wrong password: a key was opened)");
    } else {
      result_.outcome.extent.decoded += config_.size();
      result_.outcome.extent.checked += config_.size();
    }
    ResticContents contents(
        key,
        [this](const std::string& pack, uint64_t offset, uint64_t count) { return PackBytes(pack, offset, count); },
        [this](const std::string& file, const std::string& expected, const std::string& found) {
          Add(Sign::kDamaged, file, expected, found);
        },
        [this](const std::string& file, const std::string& expected, const std::string& found) {
          Add(Sign::kMissing, file, expected, found);
        });
    for (const std::string& id : ids_["index"]) {
      if (const auto text = ReadOrSay("index/" + id)) contents.AddIndex("index/" + id, *text);
    }
    for (const std::string& id : ids_["snapshots"]) {
      if (const auto text = ReadOrSay("snapshots/" + id)) contents.AddSnapshot("snapshots/" + id, *text);
    }
    const std::vector<std::string>& packs = ids_["data"];
    const std::set<std::string> there(packs.begin(), packs.end());
    for (const std::string& pack : contents.packs()) {
      if (there.count(pack) > 0) continue;
      const std::string file = Words("data/", pack.substr(0, 2), "/", pack);
      const auto damaged = sizes_.find(pack);
      if (damaged == sizes_.end()) {
        Add(Sign::kMissing, file, "a pack that the index names", "no such file, or not under this name");
      } else if (damaged->second < contents.PackSize(pack)) {
        Add(Sign::kTruncated, file, Words("at least ", contents.PackSize(pack), " bytes"),
            Words(damaged->second, " bytes"));
      }
    }
    for (const std::string& pack : packs) {
      if (contents.packs().count(pack) == 0) {
        Add(Sign::kMissing, Words("data/", pack.substr(0, 2), "/", pack), "an index that names this pack",
            "none: an index is missing, or a backup was interrupted");
      }
    }
    result_.complete = contents.Walk();
  }

  std::string PackBytes(const std::string& pack, uint64_t offset, uint64_t count) {
    sdk::Fd fd(open((folder_ / "data" / pack.substr(0, 2) / pack).c_str(), O_RDONLY | O_CLOEXEC));
    std::string bytes(static_cast<size_t>(count), '\0');
    const ssize_t got = fd ? pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) : 0;
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }

  const fs::path folder_;
  const std::string name_;
  const Repository::Progress& progress_;
  RepositoryOutcome result_;
  std::map<std::string, std::vector<std::string>> ids_;  // Of sound files, by folder.
  std::map<std::string, uint64_t> sizes_;                // Of damaged ones.
  std::string config_;
};

class Restic final : public Repository {
 public:
  const char* name() const override { return "restic"; }
  bool Recognises(const fs::path& folder) const override {
    std::error_code error;
    size_t there = 0;
    for (const char* name : kFolders) there += fs::is_directory(folder / name, error) ? 1 : 0;
    return there >= 3;
  }
  RepositoryOutcome Judge(const fs::path& folder, const std::string& name, const Progress& progress) const override {
    return Inspection(folder, name, progress).Run();
  }
};

}  // namespace

std::unique_ptr<Repository> MakeRestic() {
  return std::make_unique<Restic>();
}

}  // namespace reprise::backup
