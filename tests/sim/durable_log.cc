#include "tests/sim/durable_log.h"

#include "absl/strings/str_cat.h"
#include "core/crypto/sha256.h"

namespace reprise::sim {
namespace {

std::string Chain(const std::string& previous, size_t sequence, const std::string& payload) {
  return crypto::Sha256(absl::StrCat(previous, "|", sequence, "|", payload));
}

}  // namespace

void DurableLog::Add(const std::string& payload) {
  std::string hash = Chain(records_.empty() ? "" : records_.back().hash, records_.size() + 1, payload);
  records_.push_back({std::move(hash), payload});
}

void DurableLog::Append(const std::vector<std::string>& group) {
  for (const std::string& payload : group) Add(payload);
  whole_ = records_.size();
}

void DurableLog::Tear(const std::vector<std::string>& group, size_t arrived) {
  for (size_t i = 0; i < arrived && i < group.size(); ++i) Add(group[i]);
}

void DurableLog::Replace(const std::vector<std::string>& group) {
  records_.clear();
  Append(group);
}

size_t DurableLog::Recover() {
  const size_t dropped = records_.size() - whole_;
  records_.resize(whole_);
  return dropped;
}

std::string DurableLog::FaultOfChain(size_t from) const {
  std::string previous = from == 0 ? "" : records_[from - 1].hash;
  for (size_t i = from; i < records_.size(); ++i) {
    if (records_[i].hash != Chain(previous, i + 1, records_[i].payload)) {
      return absl::StrCat("the chain is broken at record ", i + 1);
    }
    previous = records_[i].hash;
  }
  return "";
}

}  // namespace reprise::sim
