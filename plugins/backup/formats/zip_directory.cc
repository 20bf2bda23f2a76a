#include "plugins/backup/formats/zip_directory.h"

#include <algorithm>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kEndSize = 22;
constexpr uint64_t kMembersMax = 4'000'000;

struct End {
  uint64_t at = 0;
  uint64_t members = 0;
  uint64_t size = 0;
  uint64_t begins = 0;
  uint64_t comment = 0;
};

// The end record, which also says how long the comment behind it is.
bool FindEnd(Source& source, Report& report, End& end) {
  const uint64_t size = source.Size();
  const uint64_t from = size - std::min<uint64_t>(size, 65535 + kEndSize);
  const std::string tail = source.ReadString(from, static_cast<size_t>(size - from));
  uint64_t excess = 0;
  for (size_t at = tail.rfind("PK\5\6"); at != std::string::npos;
       at = at == 0 ? std::string::npos : tail.rfind("PK\5\6", at - 1)) {
    if (at + kEndSize > tail.size()) continue;
    const std::string_view record = std::string_view(tail).substr(at);
    const uint64_t stop = at + kEndSize + LittleEndian(record.substr(20, 2));
    if (stop != tail.size()) {
      if (stop < tail.size() && excess == 0) excess = from + stop;
      continue;
    }
    end = {from + at, LittleEndian(record.substr(10, 2)), LittleEndian(record.substr(12, 4)),
           LittleEndian(record.substr(16, 4)), LittleEndian(record.substr(20, 2))};
    if (record.substr(8, 2) != record.substr(10, 2) || LittleEndian(record.substr(4, 4)) != 0) {
      report.Damaged(end.at + 4, "an archive in one part, as many members in it as in all", HexOf(record.substr(4, 8)));
      return false;
    }
    return true;
  }
  if (excess > 0) {
    report.Damaged(excess, "the end of the archive", HexOf(source.ReadString(excess, 16)));
  } else {
    report.Truncated(size, "the archive's directory, at its end");
    report.own().back().found = HexOf(tail.substr(tail.size() - std::min<size_t>(tail.size(), 16)));
  }
  return false;
}

void ReadZip64End(Source& source, End& end) {
  if (end.at < 20) return;
  const std::string locator = source.ReadString(end.at - 20, 20);
  if (locator.substr(0, 4) != "PK\6\7") return;
  const std::string record = source.ReadString(LittleEndian(std::string_view(locator).substr(8, 8)), 56);
  if (record.size() < 56 || record.substr(0, 4) != "PK\6\6") return;
  const std::string_view fields(record);
  end.members = LittleEndian(fields.substr(32, 8));
  end.size = LittleEndian(fields.substr(40, 8));
  end.begins = LittleEndian(fields.substr(48, 8));
}

// Sizes that did not fit stand in an extra field.
void ReadZip64Extra(std::string_view extra, ZipMember& member) {
  while (extra.size() >= 4) {
    const size_t size = static_cast<size_t>(LittleEndian(extra.substr(2, 2)));
    std::string_view field = extra.substr(4, size);
    if (LittleEndian(extra.substr(0, 2)) == 1) {
      for (uint64_t* value : {&member.size, &member.packed, &member.header_at}) {
        if (*value != 0xffffffff || field.size() < 8) continue;
        *value = LittleEndian(field.substr(0, 8));
        field.remove_prefix(8);
      }
    }
    extra.remove_prefix(std::min(extra.size(), 4 + size));
  }
}

}  // namespace

bool ReadZipDirectory(Source& source, Report& report, ZipDirectory& directory) {
  End end;
  if (!FindEnd(source, report, end)) return false;
  ReadZip64End(source, end);
  directory.begins = end.begins;
  directory.loose = end.comment;
  uint64_t at = end.begins;
  for (uint64_t i = 0; i < end.members; ++i) {
    const std::string entry = source.ReadString(at, 46);
    if (entry.size() < 46 || entry.substr(0, 4) != "PK\1\2" || i >= kMembersMax) {
      report.Damaged(at, Words("entry ", i + 1, " of ", end.members, " of the directory"), HexOf(entry));
      return false;
    }
    const std::string_view fields(entry);
    ZipMember member;
    member.flags = LittleEndian(fields.substr(8, 2));
    member.method = LittleEndian(fields.substr(10, 2));
    member.crc = static_cast<uint32_t>(LittleEndian(fields.substr(16, 4)));
    member.packed = LittleEndian(fields.substr(20, 4));
    member.size = LittleEndian(fields.substr(24, 4));
    member.header_at = LittleEndian(fields.substr(42, 4));
    const uint64_t name = LittleEndian(fields.substr(28, 2));
    const uint64_t extra = LittleEndian(fields.substr(30, 2));
    const uint64_t comment = LittleEndian(fields.substr(32, 2));
    member.loose = 2 + 6 + extra + comment;
    member.name = source.ReadString(at + 46, static_cast<size_t>(name));
    ReadZip64Extra(source.ReadString(at + 46 + name, static_cast<size_t>(extra)), member);
    at += 46 + name + extra + comment;
    directory.members.push_back(std::move(member));
  }
  if (at != end.begins + end.size || at > end.at) {
    report.Damaged(at, Words("a directory of ", end.size, " bytes"), Words("one of ", at - end.begins));
    return false;
  }
  return true;
}

}  // namespace reprise::backup
