// What a process wrote to its disk and finds there after any death: records chained by hash, in groups that are there
// as a whole or not at all. A write that was torn leaves records without the mark of their group's end; recovery drops
// them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace reprise::sim {

class DurableLog {
 public:
  struct Record {
    std::string hash;
    std::string payload;
  };

  // All of them, durable on return.
  void Append(const std::vector<std::string>& group);
  // The process dies in the write: some of them reach the disk, the end of the group does not.
  void Tear(const std::vector<std::string>& group, size_t arrived);
  // Puts these in the place of all.
  void Replace(const std::vector<std::string>& group);

  // At the start of a process. Gives the number of records that were dropped.
  size_t Recover();
  // Empty, or what is wrong with the chain from `from` on.
  std::string FaultOfChain(size_t from = 0) const;
  const std::vector<Record>& records() const { return records_; }

 private:
  void Add(const std::string& payload);

  std::vector<Record> records_;
  size_t whole_ = 0;  // Records of groups that have their end.
};

}  // namespace reprise::sim
