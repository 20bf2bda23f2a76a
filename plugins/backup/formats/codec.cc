#include "plugins/backup/formats/codec.h"

#include <algorithm>
#include <utility>

namespace reprise::backup {
namespace {

constexpr size_t kInput = 64 << 10;

}  // namespace

Unpacker::Unpacker(Source& source, std::unique_ptr<Codec> codec, Report& report, Frames frames, uint64_t begin)
    : reader_(source, begin), codec_(std::move(codec)), report_(report), frames_(frames) {}

bool Unpacker::End(std::string fault) {
  ended_ = true;
  fault_ = std::move(fault);
  return false;
}

// Padding to whole blocks of a tape, or between frames. True: past them something else follows.
bool Unpacker::SkipZeros() {
  uint64_t zeros = 0;
  for (std::string_view some = reader_.Peek(kInput); !some.empty(); some = reader_.Peek(kInput)) {
    const size_t count = std::min(some.find_first_not_of('\0'), some.size());
    reader_.Take(count);
    zeros += count;
    if (count < some.size()) return codec_->Padding() > 0 && zeros % codec_->Padding() == 0;
  }
  return false;
}

bool Unpacker::Begin() {
  if (frames_ended_ > 0 && reader_.Peek(1) == std::string_view("\0", 1) && !SkipZeros() && reader_.AtEnd()) return End("");
  const std::string head(reader_.Peek(32));
  if (head.empty()) return End("");
  in_frame_ = codec_->Begin(head);
  if (in_frame_) return true;
  expected_ = "the end of the file after the packed data";
  return End(HexOf(head));
}

bool Unpacker::More(std::string& into) {
  const size_t before = into.size();
  while (!ended_ && into.size() == before) {
    if (!in_frame_ && !Begin()) return false;
    const std::string_view there = reader_.Peek(kInput);
    std::string_view left = there;
    const Codec::Step step = codec_->Run(left, into);
    const size_t taken = there.size() - left.size();
    const size_t given = into.size() - before;
    reader_.Take(taken);
    if (!report_.Unpacked(given)) {
      endless_ = true;
      return End("far more than a backup of this size holds (a bomb)");
    }
    too_large_ = step == Codec::Step::kTooLarge;
    if (too_large_ || step == Codec::Step::kBroken) return End(codec_->Why());
    if (step == Codec::Step::kFrameEnd) {
      in_frame_ = false;
      ++frames_ended_;
      if (frames_ == Frames::kOne) {
        End("");
        return true;
      }
    } else if (taken == 0 && given == 0) {
      truncated_ = true;
      return End("");
    }
  }
  return !ended_;
}

void Unpacker::Tell(Report& report) const {
  if (truncated_) {
    report.Truncated(at(), "more packed data");
  } else if (too_large_) {
    report.Undecided(at(), "data that can be unpacked in the memory that is given here", fault_);
  } else if (endless_) {
    report.Undecided(at(), "content that can be unpacked within limits", fault_);
  } else if (!fault_.empty()) {
    report.Damaged(at(), expected_, fault_);
  }
}

}  // namespace reprise::backup
