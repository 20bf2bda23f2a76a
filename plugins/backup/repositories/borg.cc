// A borg 1.x repository, without borg: every entry of every segment under its CRC, the segments replayed and compared
// with the index, entry by entry. What is inside of encrypted chunks is not opened: such a repository is never called
// sound here
// (`borg check --verify-data` on a copy tells more).
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "plugins/backup/judge/source.h"
#include "plugins/backup/judge/statistics.h"
#include "plugins/backup/judge/words.h"
#include "plugins/backup/repositories/repository.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSegmentMagic = "BORG_SEG";
constexpr std::string_view kIndexMagic = "BORG_IDX";
constexpr uint64_t kEntryMax = uint64_t{24} << 20;  // borg's own limit is 20 MiB and a header.
constexpr size_t kAidMax = size_t{256} << 20;
enum Tag { kPut = 0, kDelete = 1, kCommit = 2 };

struct Place {
  uint64_t segment = 0;
  uint64_t offset = 0;
  bool operator==(const Place& other) const { return segment == other.segment && offset == other.offset; }
};

class Inspection {
 public:
  Inspection(const fs::path& folder, std::string name, const Repository::Progress& progress)
      : folder_(folder), name_(std::move(name)), progress_(progress) {
    result_.outcome.format = "borg";
  }

  RepositoryOutcome Run() {
    Files();
    Config();
    for (const auto& [number, file] : segments_) Segment(number, file);
    if (segments_.empty()) Add(Sign::kMissing, "data", 0, "at least one segment", "none");
    if (!segments_.empty() && !committed_)
      Add(Sign::kTruncated, segments_.rbegin()->second, 0, "a commit at the end of the last segment", "none");
    Index();
    const auto manifest = places_.find(std::string(32, '\0'));
    if (manifest == places_.end()) Add(Sign::kMissing, "data", 0, "the manifest (which archives there are)", "none");
    if (manifest != places_.end() && manifest_type_ != 2) {
      Add(Sign::kUnreadable, "config", 0, "chunks that can be opened", "encrypted ones; borg's key is not used here");
    }
    result_.complete = manifest != places_.end() && index_agrees_;
    return std::move(result_);
  }

 private:
  void Add(Sign sign, const std::string& file, uint64_t offset, std::string expected, std::string found) {
    if (result_.outcome.findings.size() < 200) {
      result_.outcome.findings.push_back(
          {sign, Words(name_, "/", file), offset, std::move(expected), std::move(found)});
    }
  }

  void Files() {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder_, error)) {
      if (!entry.is_regular_file(error) || entry.is_symlink(error)) continue;
      const std::string file = entry.path().lexically_relative(folder_).string();
      const std::string base = entry.path().filename().string();
      ++result_.files;
      uint64_t number = 0;
      if (StartsWith(file, "hints.") || StartsWith(file, "integrity.")) Aid(entry.path(), file);
      if (StartsWith(file, "data/") && ReadNumber(base, number)) {
        segments_[number] = file;
      } else if (StartsWith(file, "index.") && ReadNumber(file.substr(6), number)) {
        indexes_[number] = file;
      } else if (file != "config" && file != "README" && file != "nonce" && file != "transactions" &&
                 !StartsWith(file, "hints.") && !StartsWith(file, "integrity.") && !StartsWith(file, "lock.")) {
        Add(Sign::kTampered, file, 0, "only names that borg gives", base);
      }
    }
    if (error) Add(Sign::kUnreadable, "", 0, "a folder that can be read", error.message());
  }

  // What borg can make anew. A table of msgpack, which begins with how many entries it has.
  void Aid(const fs::path& path, const std::string& file) {
    try {
      const std::string head = sdk::ReadFile(path, kAidMax).substr(0, kWindow);
      if (head.empty()) return Add(Sign::kTruncated, file, 0, "a table of msgpack", "an empty file");
      if ((static_cast<unsigned char>(head[0]) & 0xf0) != 0x80 || LookOf(head) == Look::kRandom)
        Add(Sign::kDamaged, file, 0, "a table of msgpack", HexOf(head));
    } catch (const std::exception& problem) {
      Add(Sign::kUnreadable, file, 0, "a file that can be read", problem.what());
    }
  }

  void Config() {
    try {
      const auto text = sdk::ReadFileIfThere(folder_ / "config", 1 << 20);
      if (!text) return Add(Sign::kMissing, "config", 0, "the file config", "none");
      result_.outcome.extent.bytes += text->size();
      if (!Contains(*text, "[repository]") || !Contains(*text, "\nid = ")) {
        return Add(Sign::kDamaged, "config", 0, "[repository] and its id", HexOf(*text));
      }
      result_.outcome.extent.decoded += text->size();
    } catch (const std::exception& problem) {
      Add(Sign::kUnreadable, "config", 0, "a file that can be read", problem.what());
    }
  }

  void Segment(uint64_t number, const std::string& file) {
    const int fd = open((folder_ / file).c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (fd < 0 || fstat(fd, &about) != 0)
      return Add(Sign::kUnreadable, file, 0, "a file that can be read", std::strerror(errno));
    FileSource source(fd, static_cast<uint64_t>(about.st_size), progress_);
    result_.outcome.extent.bytes += source.Size();
    committed_ = false;
    if (source.ReadString(0, 8) != kSegmentMagic)
      return Add(Sign::kDamaged, file, 0, "BORG_SEG", HexOf(source.ReadString(0, 8)));
    for (uint64_t at = 8; at < source.Size();) {
      const std::string head = source.ReadString(at, 9);
      if (head.size() < 9) return Add(Sign::kTruncated, file, at, "an entry", "the end of the file");
      const std::string_view fields(head);
      const uint64_t size = LittleEndian(fields.substr(4, 4));
      const auto tag = static_cast<unsigned char>(head[8]);
      const uint64_t least = tag == kCommit ? 9 : 41;
      if (tag > kCommit || size < least || size > kEntryMax)
        return Add(Sign::kDamaged, file, at, "an entry's header", HexOf(head));
      const std::string entry = source.ReadString(at, static_cast<size_t>(size));
      if (entry.size() < size)
        return Add(Sign::kTruncated, file, at, Words("an entry of ", size, " bytes"), "the end of the file");
      if (crc32(0, reinterpret_cast<const Bytef*>(entry.data() + 4), static_cast<uInt>(size - 4)) !=
          LittleEndian(fields.substr(0, 4))) {
        return Add(Sign::kDamaged, file, at, "an entry with its CRC", "another CRC");
      }
      Replay(tag, entry, {number, at});
      at += size;
    }
    result_.outcome.extent.decoded += source.Size();
    result_.outcome.extent.checked += source.Size();
  }

  void Replay(unsigned char tag, const std::string& entry, Place place) {
    committed_ = tag == kCommit;
    if (tag == kCommit) return;
    const std::string key = entry.substr(9, 32);
    if (tag == kDelete) {
      places_.erase(key);
      return;
    }
    places_[key] = place;
    if (key == std::string(32, '\0') && entry.size() > 41) manifest_type_ = static_cast<unsigned char>(entry[41]);
  }

  // borg's table of chunks, as it lies on the disk: a header, then buckets of a key and a place.
  void Index() {
    if (indexes_.empty()) return Add(Sign::kMissing, "index", 0, "an index", "none");
    const std::string& file = indexes_.rbegin()->second;
    const int fd = open((folder_ / file).c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (fd < 0 || fstat(fd, &about) != 0)
      return Add(Sign::kUnreadable, file, 0, "a file that can be read", std::strerror(errno));
    FileSource source(fd, static_cast<uint64_t>(about.st_size), progress_);
    result_.outcome.extent.bytes += source.Size();
    const std::string head = source.ReadString(0, 18);
    const std::string_view fields(head);
    if (head.size() < 18 || head.substr(0, 8) != kIndexMagic || head[16] != 32 || head[17] != 8) {
      return Add(Sign::kDamaged, file, 0, "BORG_IDX, keys of 32 and values of 8 bytes", HexOf(head));
    }
    const uint64_t buckets = LittleEndian(fields.substr(12, 4));
    if (source.Size() != 18 + buckets * 40)
      return Add(Sign::kTruncated, file, source.Size(), Words(buckets, " buckets"), Words(source.Size(), " bytes"));
    uint64_t found = 0;
    for (uint64_t i = 0; i < buckets; ++i) {
      const std::string bucket = source.ReadString(18 + i * 40, 40);
      const Place place{LittleEndian(std::string_view(bucket).substr(32, 4)),
                        LittleEndian(std::string_view(bucket).substr(36, 4))};
      if (place.segment >= 0xfffffffe) continue;
      ++found;
      const auto there = places_.find(bucket.substr(0, 32));
      if (there != places_.end() && there->second == place) continue;
      if (segments_.count(place.segment) == 0) {
        return Add(Sign::kMissing, Words("data, segment ", place.segment), 0, "a segment that the index names",
                   "no such file");
      }
      return Add(Sign::kDamaged, file, 18 + i * 40, Words("a chunk at ", place.offset, " of segment ", place.segment),
                 "none there");
    }
    if (found != places_.size()) return Add(Sign::kDamaged, file, 0, Words(places_.size(), " chunks"), Words(found));
    index_agrees_ = true;
    result_.outcome.extent.decoded += source.Size();
    result_.outcome.extent.checked += source.Size();
  }

  const fs::path folder_;
  const std::string name_;
  const Repository::Progress& progress_;
  RepositoryOutcome result_;
  std::map<uint64_t, std::string> segments_;
  std::map<uint64_t, std::string> indexes_;
  std::unordered_map<std::string, Place> places_;
  bool committed_ = false;
  bool index_agrees_ = false;
  int manifest_type_ = -1;
};

class Borg final : public Repository {
 public:
  const char* name() const override { return "borg"; }
  bool Recognises(const fs::path& folder) const override {
    std::error_code error;
    if (!fs::is_directory(folder / "data", error)) return false;
    size_t there = 0;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const std::string file = entry.path().filename().string();
      for (const char* start : {"README", "config", "index.", "hints.", "integrity.", "nonce"})
        there += StartsWith(file, start) ? 1 : 0;
    }
    return there >= 4;
  }
  RepositoryOutcome Judge(const fs::path& folder, const std::string& name, const Progress& progress) const override {
    return Inspection(folder, name, progress).Run();
  }
};

}  // namespace

std::unique_ptr<Repository> MakeBorg() {
  return std::make_unique<Borg>();
}

}  // namespace reprise::backup
