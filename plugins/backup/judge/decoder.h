// The seam of the judge: one class for each format. It recognises its format, decodes a content to its very end, and
// reports what does not fit and how much stands under a checksum. It never says that something is sound: that is what
// remains when nothing was reported and every byte was decoded.
//
// How to write one: derive in formats/<name>.cc, keep to bounded memory, treat every number in the file as hostile, add
// it to formats/all.cc, and its extensions to judge/names.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backup/judge/finding.h"
#include "plugins/backup/judge/source.h"

namespace reprise::backup {

class Report;

class Decoder {
 public:
  virtual ~Decoder() = default;
  // "png", as it stands in evidence and in judge/names.cc.
  virtual const char* name() const = 0;
  // By the first 4 KiB.
  virtual bool Recognises(std::string_view head) const = 0;
  // Text: its Recognises says only that it looks like it, and its name comes first.
  virtual bool Textual() const { return false; }
  // A content of this format says itself where it ends.
  virtual bool Ends() const { return !Textual(); }
  // Sound content looks random: random bytes in it prove nothing.
  virtual bool Dense() const { return false; }
  // REQUIRES: nothing was read from the source beyond its head.
  virtual void Decode(Source& source, Report& report) const = 0;
};

// Examines a content that was found inside of another. Implemented by the examiner.
class Inspector {
 public:
  virtual ~Inspector() = default;
  virtual Extent Inspect(Source& source, const std::string& name, int depth, std::vector<Finding>& findings,
                         std::vector<std::string>& needs) = 0;
  // Bytes came out of a decompressor. False: so many that it must be a bomb.
  virtual bool Unpacked(uint64_t bytes) = 0;
};

// What a decoder says of one content.
class Report {
 public:
  Report(Inspector& inspector, std::string name, int depth)
      : inspector_(inspector), name_(std::move(name)), depth_(depth) {}

  void Damaged(uint64_t offset, std::string expected, std::string found);
  // Text that breaks the rules of what its name says it is.
  void Ungrammatical(uint64_t offset, std::string expected, std::string found);
  // Sound so far, and then there is no more.
  void Truncated(uint64_t offset, std::string expected);
  void Missing(std::string what, std::string found);
  void Unreadable(uint64_t offset, std::string expected, std::string found);
  void Undecided(uint64_t offset, std::string expected, std::string found);

  // Bytes of this content that stand under an agreeing checksum.
  void Checked(uint64_t bytes) { checked_ += bytes; }
  void CheckedAll() { all_checked_ = true; }
  // Bytes that were not understood, in spite of nothing being wrong.
  void NotDecoded(uint64_t bytes) { not_decoded_ += bytes; }
  // Another file beside this one that this one needs: "3456.dat".
  void Needs(std::string name) { needs_.push_back(std::move(name)); }

  // Judges what stands inside; its findings get this content's name before theirs.
  Extent Inside(const std::string& name, Source& inner);
  // Around what was examined inside since `mark`: a checksum agreed (so what is merely unknown is as it was written),
  // or the container itself is broken (so what is broken inside follows from it).
  size_t Mark() const { return inner_.size(); }
  // True: nothing is left to be said of what is inside, all of it counts as decoded.
  bool VouchSince(size_t mark);
  void ForgetSince(size_t mark);
  // What contents inside need beside them, so far.
  const std::vector<std::string>& inner_needs() const { return inner_needs_; }
  bool Unpacked(uint64_t bytes) { return inspector_.Unpacked(bytes); }

  bool clean() const { return own_.empty(); }
  const std::string& name() const { return name_; }
  std::vector<Finding>& own() { return own_; }
  std::vector<Finding>& inner() { return inner_; }
  std::vector<std::string>& needs() { return needs_; }
  // REQUIRES: decoded.
  Extent ExtentOf(uint64_t bytes) const;

 private:
  void Add(Sign sign, uint64_t offset, std::string expected, std::string found);

  Inspector& inspector_;
  const std::string name_;
  const int depth_;
  std::vector<Finding> own_;
  std::vector<Finding> inner_;
  std::vector<std::string> needs_;
  std::vector<std::string> inner_needs_;
  uint64_t checked_ = 0;
  uint64_t not_decoded_ = 0;
  bool all_checked_ = false;
  bool vouched_ = false;
};

// A hundred findings of one content say no more than twenty.
inline constexpr size_t kFindingsMax = 20;

// "50 4b 03 04" for evidence; at most 16 bytes.
std::string HexOf(std::string_view bytes);

}  // namespace reprise::backup
