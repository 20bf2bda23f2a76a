// tar in its dialects (v7, ustar, pax, GNU): every header's checksum, every padding byte, the two zero blocks at the
// end and nothing after them. Members are judged by their own formats: tar itself has no checksum over them.
#include <algorithm>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kNameMax = 64 << 10;
constexpr uint64_t kNotSaid = ~uint64_t{0};

// Octal text, or GNU's base 256.
uint64_t Number(std::string_view field) {
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    if (field.size() > 8) field.remove_prefix(field.size() - 8);
    return BigEndian(field) & 0x7fffffffffffffff;
  }
  uint64_t value = 0;
  size_t i = field.find_first_not_of(' ');
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; ++i)
    value = value * 8 + static_cast<uint64_t>(field[i] - '0');
  return value;
}

bool ChecksumAgrees(std::string_view header) {
  if (header.size() < kBlock || header[0] == '\0') return false;
  // Digits, and what ends them. Without, it would be a zero, which random bytes add up to now and then.
  const std::string_view field = header.substr(148, 8);
  if (field.find_first_not_of(std::string_view("01234567 \0", 10)) != field.npos) return false;
  if (field.find_first_of("01234567") == field.npos) return false;
  int64_t sum = 0, with_sign = 0;  // Old programs added signed bytes.
  for (size_t i = 0; i < kBlock; ++i) {
    const char byte = i >= 148 && i < 156 ? ' ' : header[i];
    sum += static_cast<unsigned char>(byte);
    with_sign += static_cast<signed char>(byte);
  }
  const auto stated = static_cast<int64_t>(Number(field));
  return stated == sum || stated == with_sign;
}

bool IsZero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string Text(std::string_view field) {
  return std::string(field.substr(0, field.find('\0')));
}

// "27 path=a/b\n" records of a pax header.
void ReadPax(std::string_view records, std::string& path, uint64_t& size, bool& sparse) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    uint64_t length = 0;
    if (space == std::string_view::npos || !ReadNumber(records.substr(0, space), length)) return;
    if (length <= space + 1 || length > records.size()) return;
    const std::string_view record = records.substr(space + 1, length - space - 2);
    const size_t equals = record.find('=');
    const std::string_view key = record.substr(0, equals);
    uint64_t value = 0;
    if (key == "path") path = std::string(record.substr(equals + 1));
    if (key == "size" && ReadNumber(record.substr(equals + 1), value)) size = value;
    if (key.substr(0, 10) == "GNU.sparse") sparse = true;
    records.remove_prefix(static_cast<size_t>(length));
  }
}

class Tar final : public Decoder {
 public:
  const char* name() const override { return "tar"; }
  bool Recognises(std::string_view head) const override { return ChecksumAgrees(head); }

  void Decode(Source& source, Report& report) const override {
    uint64_t at = 0;
    std::string long_name;
    uint64_t long_size = kNotSaid;
    bool sparse = false;
    std::vector<std::string> names;
    for (;;) {
      const std::string header = source.ReadString(at, kBlock);
      if (header.size() < kBlock) return report.Truncated(at, "a member's header, or the zero blocks at the end");
      if (IsZero(header)) break;
      if (!ChecksumAgrees(header)) return report.Damaged(at, "a member's header with its checksum", HexOf(header));
      const char type = header[156];
      const bool has_data = type < '1' || type > '6';  // GNU's folders of incremental backups (D) have a list of names.
      const bool is_meta = type == 'x' || type == 'g' || type == 'L' || type == 'K' || type == 'X';
      const uint64_t stated = Number(header.substr(124, 12));
      const uint64_t size = !has_data ? 0 : is_meta ? stated : long_size != kNotSaid ? long_size : stated;
      uint64_t data = at + kBlock;
      if (type == 'S') {  // Old GNU sparse: the map may go on in blocks of its own.
        sparse = true;
        for (bool more = header[482] != '\0'; more; data += kBlock) {
          const std::string map = source.ReadString(data, kBlock);
          if (map.size() < kBlock) return report.Truncated(data, "the map of a sparse member");
          more = map[504] != '\0';
        }
      }
      const uint64_t end = data + size;
      const uint64_t padded = (end + kBlock - 1) / kBlock * kBlock;
      if (end < data || padded < end)
        return report.Damaged(at + 124, "the size of a member", Text(header.substr(124, 12)));
      report.Checked(data - at);
      if (is_meta) {
        const std::string text = source.ReadString(data, static_cast<size_t>(std::min(size, kNameMax)));
        if (type == 'x') ReadPax(text, long_name, long_size, sparse);
        if (type == 'L') long_name = Text(text);
      } else {
        std::string name = long_name.empty() ? Name(header) : long_name;
        if (has_data && type != 'D' && !Member(source, report, name, data, size, sparse)) {
          return report.Truncated(data, Words(size, " bytes of ", name));
        }
        names.push_back(std::move(name));
        long_name.clear();
        long_size = kNotSaid;
        sparse = false;
      }
      const std::string padding = source.ReadString(end, static_cast<size_t>(padded - end));
      if (padding.size() < padded - end) return report.Truncated(end, "the padding of a member");
      if (!IsZero(padding)) return report.Damaged(end, "zeros behind a member", HexOf(padding));
      report.Checked(padded - end);
      at = padded;
    }
    for (const std::string& need : report.inner_needs()) {
      if (std::find(names.begin(), names.end(), need) == names.end()) report.Missing(need, "no member of that name");
    }
    Ending(source, report, at);
  }

 private:
  static std::string Name(const std::string& header) {
    const std::string prefix = header.substr(257, 6) == std::string("ustar\0", 6) ? Text(header.substr(345, 155)) : "";
    return prefix.empty() ? Text(header.substr(0, 100)) : Words(prefix, "/", Text(header.substr(0, 100)));
  }

  // False: it ends too early.
  static bool Member(Source& source, Report& report, const std::string& name, uint64_t data, uint64_t size,
                     bool sparse) {
    if (size == 0 && EndsWith(name, "/")) return true;  // A folder, as old programs write it.
    SliceSource slice(source, data, size);
    const size_t mark = report.Mark();
    Extent inside{size, 0, 0};
    if (sparse) {
      report.NotDecoded(size);
      report.Undecided(data, "a member that is written in one piece",
                       "a sparse one, whose pieces are not put together here");
    } else {
      inside = report.Inside(name, slice);
    }
    char last;
    if (size > 0 && source.Read(data + size - 1, &last, 1) == 0) {
      report.ForgetSince(mark);
      return false;
    }
    report.Checked(inside.checked);
    report.NotDecoded(size - std::min(size, inside.decoded));
    return true;
  }

  static void Ending(Source& source, Report& report, uint64_t at) {
    const uint64_t begin = at;
    std::string piece(256 << 10, '\0');
    while (const size_t got = source.Read(at, piece.data(), piece.size())) {
      const std::string_view bytes(piece.data(), got);
      const size_t odd = bytes.find_first_not_of('\0');
      if (odd != std::string_view::npos) {
        return report.Damaged(at + odd, "zeros up to the end", HexOf(bytes.substr(odd)));
      }
      at += got;
    }
    if (at - begin < 2 * kBlock) return report.Truncated(at, "two zero blocks at the end");
    report.Checked(at - begin);
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeTar() {
  return std::make_unique<Tar>();
}

}  // namespace reprise::backup
