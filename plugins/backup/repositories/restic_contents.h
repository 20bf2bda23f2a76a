// What a restic repository says of itself, once it is open: the index (which blob lies where in which pack), the
// snapshots, and the trees below them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plugins/backup/repositories/restic_key.h"

namespace reprise::backup {

class ResticContents {
 public:
  // Reads `count` bytes of a pack.
  using ReadPack = std::function<std::string(const std::string& pack, uint64_t offset, uint64_t count)>;
  // Told what does not fit: the file, what was expected, what was found.
  using Complain = std::function<void(const std::string& file, const std::string& expected, const std::string& found)>;

  ResticContents(const ResticKey& key, ReadPack read, Complain damaged, Complain missing);

  // An index or snapshot file, sealed as it lies there.
  void AddIndex(const std::string& name, std::string_view sealed);
  void AddSnapshot(const std::string& name, std::string_view sealed);
  // Every tree of every snapshot. True: everything that they need is in the index, and everything in the index is
  // needed.
  bool Walk();

  const std::set<std::string>& packs() const { return packs_; }
  uint64_t snapshots() const { return roots_.size(); }
  // Bytes that a pack must have at least, as its blobs say.
  uint64_t PackSize(const std::string& pack) const;

 private:
  struct Blob {
    std::string pack;
    uint64_t offset = 0;
    uint64_t length = 0;
    bool packed = false;
    bool used = false;
  };
  bool Tree(const std::string& id, std::vector<std::string>& trees);
  Blob* Use(const std::string& id, const std::string& by);

  const ResticKey& key_;
  const ReadPack read_;
  const Complain damaged_;
  const Complain missing_;
  std::set<std::string> packs_;
  std::unordered_map<std::string, uint64_t> pack_sizes_;
  std::unordered_map<std::string, Blob> blobs_;
  std::unordered_set<std::string> seen_trees_;
  std::vector<std::string> roots_;
};

}  // namespace reprise::backup
