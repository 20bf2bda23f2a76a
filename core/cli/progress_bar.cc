#include "core/cli/progress_bar.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/text.h"

namespace reprise::cli {
namespace {

constexpr size_t kBarWidth = 20;

}  // namespace

std::string ShortTime(int64_t ms) {
  const int64_t seconds = (ms + 500) / 1000;
  if (seconds >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

std::string ByteText(uint64_t bytes) {
  if (bytes < 1'000) return absl::StrCat(bytes, " B");
  if (bytes < 1'000'000) return absl::StrFormat("%.1f kB", static_cast<double>(bytes) / 1e3);
  if (bytes < 1'000'000'000) return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
  return absl::StrFormat("%.2f GB", static_cast<double>(bytes) / 1e9);
}

ProgressBar::ProgressBar(Terminal& terminal, std::string label, uint64_t total, Unit unit, UnixMs now)
    : terminal_(terminal), label_(std::move(label)), total_(total), unit_(unit), began_(now), shown_(now) {}

ProgressBar::~ProgressBar() {
  if (visible_) terminal_.err() << "\r\x1b[K" << std::flush;
}

double ProgressBar::ShareOf(uint64_t done) const {
  return total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
}

std::string ProgressBar::Counts(uint64_t done, UnixMs now) const {
  const double share = ShareOf(done);
  std::string text = unit_ == Unit::kBytes ? absl::StrCat(ByteText(done), " of ", ByteText(total_)) : absl::StrCat(done, "/", total_);
  absl::StrAppend(&text, "  ", static_cast<int>(share * 100), " %");
  const int64_t passed = now - began_;
  if (done > 0 && done < total_ && passed >= 500) {
    const auto left = static_cast<int64_t>(static_cast<double>(passed) * (1 - share) / share);
    absl::StrAppend(&text, "  ", ShortTime(left), " left");
  }
  return text;
}

std::string ProgressBar::Text(uint64_t done, UnixMs now) const {
  const auto full = static_cast<size_t>(ShareOf(done) * kBarWidth);
  return absl::StrCat(label_, "  [", std::string(full, '#'), std::string(kBarWidth - full, '-'), "]  ", Counts(done, now));
}

std::string ProgressBar::PlainText(uint64_t done, UnixMs now) const {
  return absl::StrCat(FormatTime(now), "  ", OneLine(label_), "  ", Counts(done, now));
}

void ProgressBar::Show(uint64_t done, UnixMs now) {
  if (!terminal_.ErrIsTerminal()) {
    if (now - shown_ < kLineEvery) return;
    shown_ = now;
    terminal_.err() << PlainText(done, now) << '\n' << std::flush;
    return;
  }
  if (visible_ && done < total_ && now - shown_ < kEvery) return;
  shown_ = now;
  visible_ = true;
  terminal_.err() << "\r\x1b[K" << Shorten(Text(done, now), terminal_.Width()) << std::flush;
}

}  // namespace reprise::cli
