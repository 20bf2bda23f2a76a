#include "plugins/mail/mbox_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "plugins/mail/imap_date.h"
#include "plugins/mail/maildir_text.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {
namespace {

constexpr size_t kHeaderLineMax = 64 << 10;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::vector<std::string_view> WordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

std::optional<int> NumberOf(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> MonthOf(std::string_view word) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const size_t found = word.size() == 3 ? kMonths.find(word) : std::string_view::npos;
  if (found == std::string_view::npos || found % 3 != 0) return std::nullopt;
  return static_cast<int>(found / 3) + 1;
}

// "10:00:00" or "10:00"
bool ParseTime(std::string_view word, int (&time)[3]) {
  time[2] = 0;
  if (word.size() != 5 && word.size() != 8) return false;
  for (size_t i = 0; i * 3 < word.size(); ++i) {
    const auto value = NumberOf(word.substr(i * 3, 2));
    if (!value || *value < 0 || *value > (i == 0 ? 23 : 60) || (i > 0 && word[i * 3 - 1] != ':')) return false;
    time[i] = *value;
  }
  return true;
}

std::optional<int> ParseZone(std::string_view word) {
  if (word == "UTC" || word == "GMT") return 0;
  if (word.size() != 5 || (word[0] != '+' && word[0] != '-')) return std::nullopt;
  const auto hours = NumberOf(word.substr(1, 2)), minutes = NumberOf(word.substr(3, 2));
  if (!hours || !minutes || *hours < 0 || *minutes < 0) return std::nullopt;
  return (word[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

// The zone of this host at that moment.
InternalDate LocalDate(int year, int month, int day, const int (&time)[3]) {
  std::tm local{};
  local.tm_year = year - 1900, local.tm_mon = month - 1, local.tm_mday = day;
  local.tm_hour = time[0], local.tm_min = time[1], local.tm_sec = time[2];
  local.tm_isdst = -1;
  const std::time_t when = std::mktime(&local);
  return {when, static_cast<int>(local.tm_gmtoff / 60)};
}

// What servers keep in headers.
struct Kept {
  std::string status, x_status, keywords, base;
  std::optional<uint32_t> uid;
  std::optional<uint64_t> length;
  bool pseudo = false;  // "DON'T DELETE THIS MESSAGE": the server's, not anybody's.
};

struct OwnHeader {
  std::string_view name;
  void (*take)(Kept&, std::string_view value);
};
constexpr OwnHeader kOwn[] = {
    {"status:", [](Kept& kept, std::string_view value) { kept.status = value; }},
    {"x-status:", [](Kept& kept, std::string_view value) { kept.x_status = value; }},
    {"x-keywords:", [](Kept& kept, std::string_view value) { kept.keywords += " " + std::string(value); }},
    {"x-imapbase:", [](Kept& kept, std::string_view value) { kept.base = value; }},
    {"x-imap:", [](Kept& kept, std::string_view value) { kept.base = value, kept.pseudo = true; }},
    {"x-uid:",
     [](Kept& kept, std::string_view value) {
       const auto words = WordsOf(value);
       const auto uid = words.empty() ? std::nullopt : NumberOf(words[0]);
       if (uid && *uid > 0) kept.uid = static_cast<uint32_t>(*uid);
     }},
    {"content-length:",
     [](Kept& kept, std::string_view value) {
       const auto words = WordsOf(value);
       uint64_t length = 0;
       if (!words.empty() && std::from_chars(words[0].data(), words[0].data() + words[0].size(), length).ec == std::errc()) kept.length = length;
     }},
};

const OwnHeader* OwnHeaderOf(std::string_view line) {
  for (const OwnHeader& own : kOwn) {
    if (line.size() < own.name.size()) continue;
    if (std::equal(own.name.begin(), own.name.end(), line.begin(), [](char a, char b) { return a == Lower(b); })) return &own;
  }
  return nullptr;
}

std::vector<std::string> FlagsOf(const Kept& kept) {
  std::vector<std::string> flags;
  for (const char c : kept.status + kept.x_status) {
    if (c == 'R') flags.push_back("\\Seen");
    if (c == 'A') flags.push_back("\\Answered");
    if (c == 'F') flags.push_back("\\Flagged");
    if (c == 'D') flags.push_back("\\Deleted");
    if (c == 'T') flags.push_back("\\Draft");
  }
  for (const std::string_view word : WordsOf(kept.keywords)) flags.emplace_back(word);
  std::sort(flags.begin(), flags.end());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
  return flags;
}

// The lines of a file, one after the other. Of a line that never ends only the beginning is kept.
class Lines {
 public:
  Lines(int fd, size_t ahead) : fd_(fd), ahead_(ahead) {}

  // False at the end. `begin()` is where it starts, `end()` where the next one does.
  bool Next() {
    line_.clear();
    begin_ = end_;
    for (;;) {
      if (at_ == buffer_.size() && !Fill()) return end_ > begin_;
      const size_t found = buffer_.find('\n', at_);
      const size_t stop = found == std::string::npos ? buffer_.size() : found + 1;
      line_.append(buffer_, at_, std::min(stop - at_, kHeaderLineMax - std::min(kHeaderLineMax, line_.size())));
      end_ += stop - at_;
      at_ = stop;
      if (found != std::string::npos) return true;
    }
  }
  void GoTo(uint64_t place) {
    if (place >= end_ && place - end_ <= buffer_.size() - at_) {
      at_ += place - end_;
    } else {
      buffer_.clear(), at_ = 0, next_ = place;
    }
    end_ = place;
  }
  const std::string& line() const { return line_; }
  bool blank() const { return end_ - begin_ <= 2 && (line_ == "\n" || line_ == "\r\n"); }
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }

 private:
  bool Fill() {
    buffer_.clear(), at_ = 0;
    ReadPieces(fd_, next_, next_ + ahead_, [&](std::string_view piece) { buffer_ += piece; });
    next_ += buffer_.size();
    return !buffer_.empty();
  }

  const int fd_;
  const size_t ahead_;
  std::string buffer_, line_;
  size_t at_ = 0;
  uint64_t next_ = 0, begin_ = 0, end_ = 0;
};

// Whether a message may end at `place`: the file does, or an empty line and a From_ line stand there.
bool EndsAt(int fd, uint64_t place, uint64_t file_bytes) {
  if (place > file_bytes) return false;
  std::string next;
  ReadPieces(fd, place, place + 512, [&](std::string_view piece) { next += piece; });
  const size_t blank = next.rfind("\r\n", 0) == 0 ? 2 : next.rfind("\n", 0) == 0 ? 1 : 0;
  const std::string_view rest = std::string_view(next).substr(blank);
  if (place + blank == file_bytes) return true;
  return blank > 0 && ParseFromLine(rest.substr(0, rest.find('\n'))).has_value();
}

uint64_t WireBytes(int fd, const MboxMessage& message) {
  uint64_t bytes = 0;
  ReadMboxMessage(fd, message, [&](std::string_view piece) { bytes += piece.size(); });
  return bytes;
}

void Number(MboxIndex& index, const std::vector<Kept>& kept, const std::string& base, const std::string& print) {
  bool rising = !base.empty();
  uint32_t last = 0;
  for (const Kept& one : kept) {
    rising = rising && one.uid && *one.uid > last;
    last = one.uid.value_or(0);
  }
  const auto words = WordsOf(base);
  uint32_t validity = 0, last_uid = 0;
  if (words.size() >= 2) {
    std::from_chars(words[0].data(), words[0].data() + words[0].size(), validity);
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), last_uid);
  }
  rising = rising && validity != 0;
  if (!rising) {
    const std::string hex = sdk::Sha256OfText(print).substr(0, 8);
    std::from_chars(hex.data(), hex.data() + hex.size(), validity, 16);
    validity |= 1;
  }
  index.uid_validity = validity;
  for (size_t i = 0; i < index.messages.size(); ++i) index.messages[i].uid = rising ? *kept[i].uid : static_cast<uint32_t>(i) + 1;
  index.uid_next = std::max(rising ? last_uid + 1 : 1, index.messages.empty() ? 1 : index.messages.back().uid + 1);
}

}  // namespace

std::optional<InternalDate> ParseFromLine(std::string_view line) {
  if (line.substr(0, 5) != "From ") return std::nullopt;
  const auto words = WordsOf(line.substr(5));
  // SENDER may have blanks in it, and may be missing: the date is looked for from behind its month.
  for (size_t i = 1; i + 2 < words.size(); ++i) {
    const auto month = MonthOf(words[i]);
    int time[3];
    if (!month) continue;
    const auto day = NumberOf(words[i + 1]);
    if (!day || *day < 1 || *day > 31 || !ParseTime(words[i + 2], time)) continue;
    // "2022", "2022 +0200", "CEST 2022", "+0200 2022"
    std::optional<int> year, zone;
    for (size_t j = i + 3; j < words.size() && j < i + 5; ++j) {
      if (const auto number = NumberOf(words[j]); !year && number && words[j].size() == 4 && *number >= 1970) {
        year = number;
      } else if (!zone) {
        zone = ParseZone(words[j]);
      }
    }
    if (!year) continue;
    if (zone) return DateOf(*year, *month, *day, time[0], time[1], time[2], *zone);
    return LocalDate(*year, *month, *day, time);
  }
  return std::nullopt;
}

bool IsServersOwn(std::string_view line) { return OwnHeaderOf(line) != nullptr; }

MboxIndex IndexMbox(int fd, const std::function<void()>& look) {
  struct stat found {};
  if (fstat(fd, &found) != 0) throw std::system_error(errno, std::generic_category(), "look at a file of the store");
  MboxIndex index;
  index.file_bytes = static_cast<uint64_t>(found.st_size);
  index.changed_ns = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
  std::vector<Kept> kept;
  std::string base, print;
  Lines lines(fd, 256 << 10);
  bool more = lines.Next();
  if (more && !ParseFromLine(lines.line())) throw sdk::Error("bad_store", "a file of the store does not begin as an mbox does (From SENDER DATE)");
  while (more) {
    look();
    // At a From_ line.
    MboxMessage message;
    Kept own;
    message.date = *ParseFromLine(lines.line());
    print += lines.line();
    message.begin = message.body = message.end = lines.end();
    const OwnHeader* header = nullptr;
    while ((more = lines.Next()) && !lines.blank()) {
      const std::string& line = lines.line();
      const bool goes_on = line[0] == ' ' || line[0] == '\t';
      if (!goes_on) header = OwnHeaderOf(line);
      if (header != nullptr) header->take(own, goes_on ? std::string_view(line) : std::string_view(line).substr(header->name.size()));
      message.end = lines.end();
    }
    message.body = message.end = more ? lines.end() : message.end;
    if (own.length && EndsAt(fd, message.body + *own.length, index.file_bytes)) {
      message.end = message.body + *own.length;
      lines.GoTo(message.end);
      more = lines.Next();
      if (more && lines.blank()) more = lines.Next();
    } else {
      // The empty line before a From_ line, and the one that ends the file, are no part of a message.
      std::optional<uint64_t> blank_begin;
      if (more) blank_begin = lines.begin();
      while ((more = lines.Next())) {
        if (blank_begin && ParseFromLine(lines.line())) break;
        blank_begin.reset();
        if (lines.blank()) blank_begin = lines.begin();
        message.end = lines.end();
      }
      if (blank_begin && *blank_begin >= message.body) message.end = *blank_begin;
    }
    if (!own.base.empty() && base.empty()) base = own.base;
    if (own.pseudo && index.messages.empty()) continue;
    message.flags = FlagsOf(own);
    message.bytes = WireBytes(fd, message);
    print += std::to_string(message.bytes) + "\n";
    index.messages.push_back(std::move(message));
    own.status.clear(), own.x_status.clear(), own.keywords.clear();
    kept.push_back(std::move(own));
  }
  Number(index, kept, base, print);
  return index;
}

void ReadMboxMessage(int fd, const MboxMessage& message, const Sink& sink) {
  CrlfWriter writer(sink);
  // The header line by line, for the server's own lines are left out; the rest as it comes.
  Lines lines(fd, 4 << 10);
  lines.GoTo(message.begin);
  bool left_out = false;
  uint64_t from = message.begin;
  while (lines.end() < message.body && lines.Next()) {
    const std::string& line = lines.line();
    const bool was_left_out = left_out;
    if (line[0] != ' ' && line[0] != '\t') left_out = IsServersOwn(line);
    if (left_out == was_left_out) continue;
    // Where a run of lines ends that all belong to the message, or all do not.
    if (left_out) ReadPieces(fd, from, lines.begin(), [&](std::string_view piece) { writer.Put(piece); });
    from = lines.begin();
  }
  if (left_out) from = message.body;
  ReadPieces(fd, from, message.end, [&](std::string_view piece) { writer.Put(piece); });
}

}  // namespace reprise::mail
