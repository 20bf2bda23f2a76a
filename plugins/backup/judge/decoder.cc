#include "plugins/backup/judge/decoder.h"

#include <algorithm>
#include <iterator>

namespace reprise::backup {

void Report::Add(Sign sign, uint64_t offset, std::string expected, std::string found) {
  if (own_.size() < kFindingsMax) own_.push_back({sign, name_, offset, std::move(expected), std::move(found)});
}

void Report::Damaged(uint64_t offset, std::string expected, std::string found) {
  Add(Sign::kDamaged, offset, std::move(expected), std::move(found));
}

void Report::Ungrammatical(uint64_t offset, std::string expected, std::string found) {
  const size_t before = own_.size();
  Damaged(offset, std::move(expected), std::move(found));
  if (own_.size() > before) own_.back().grammar = true;
}

void Report::Truncated(uint64_t offset, std::string expected) {
  Add(Sign::kTruncated, offset, std::move(expected), "the end of the file");
}

void Report::Missing(std::string what, std::string found) {
  Add(Sign::kMissing, 0, std::move(what), std::move(found));
}

void Report::Unreadable(uint64_t offset, std::string expected, std::string found) {
  Add(Sign::kUnreadable, offset, std::move(expected), std::move(found));
}

void Report::Undecided(uint64_t offset, std::string expected, std::string found) {
  Add(Sign::kUndecided, offset, std::move(expected), std::move(found));
}

Extent Report::Inside(const std::string& name, Source& inner) {
  std::vector<Finding> findings;
  const Extent extent = inspector_.Inspect(inner, name_ + "!" + name, depth_ + 1, findings, inner_needs_);
  vouched_ = vouched_ || extent.vouched;
  for (Finding& finding : findings) {
    if (inner_.size() < 4 * kFindingsMax || finding.sign < Sign::kUndecided) inner_.push_back(std::move(finding));
    if (inner_.size() > 64 * kFindingsMax) inner_.pop_back();
  }
  return extent;
}

bool Report::VouchSince(size_t mark) {
  const size_t before = inner_.size();
  for (size_t i = mark; i < before; ++i) {
    const bool written_so = inner_[i].sign == Sign::kDamaged || inner_[i].sign == Sign::kTruncated;
    if (inner_[i].grammar && written_so) inner_[i].sign = Sign::kUndecided;
  }
  inner_.erase(std::remove_if(inner_.begin() + static_cast<std::ptrdiff_t>(mark), inner_.end(),
                              [](const Finding& finding) { return finding.quiet; }),
               inner_.end());
  vouched_ = vouched_ || inner_.size() < before;
  return inner_.size() == mark;
}

void Report::ForgetSince(size_t mark) {
  inner_.erase(std::remove_if(inner_.begin() + static_cast<std::ptrdiff_t>(mark), inner_.end(),
                              [](const Finding& finding) {
                                return finding.sign == Sign::kDamaged || finding.sign == Sign::kTruncated ||
                                       finding.sign == Sign::kMissing;
                              }),
               inner_.end());
}

Extent Report::ExtentOf(uint64_t bytes) const {
  if (!own_.empty()) return {bytes, 0, 0};
  // What nobody decoded stands under a checksum, and is not proven sound: never the whole.
  const uint64_t checked = std::min(all_checked_ ? bytes : checked_, bytes - (vouched_ ? std::min<uint64_t>(bytes, 1) : 0));
  return {bytes, bytes - std::min(not_decoded_, bytes), checked, vouched_};
}

std::string HexOf(std::string_view bytes) {
  if (bytes.empty()) return "nothing";
  std::string text;
  for (const char c : bytes.substr(0, 16)) {
    const auto byte = static_cast<unsigned char>(c);
    if (!text.empty()) text += ' ';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace reprise::backup
