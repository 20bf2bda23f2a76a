// pg_dump's custom format (-Fc), and the table of contents (toc.dat) of its tar and directory formats. Every entry is
// read, every block found where the table says, unpacked to its end, and nothing may stand between or behind. Blocks
// carry zlib's checksum; the table itself has none.
#include <algorithm>
#include <map>
#include <optional>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/codec.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kTextMax = 64 << 20;
constexpr int64_t kEntriesMax = 10'000'000;
enum Format { kCustom = 1, kTar = 3 };  // A directory's table says "tar", too.

constexpr int Version(int major, int minor) {
  return major * 100 + minor;
}

struct Entry {
  int64_t id = 0;
  bool has_data = false;
  bool placed = false;  // Its data stands at `at`.
  bool empty = false;   // It has none.
  uint64_t at = 0;
};

// The archive's own grammar of numbers and texts. After the first failure every answer is empty.
class Fields {
 public:
  explicit Fields(Reader& reader) : reader_(reader) {}
  uint64_t Byte() { return LittleEndian(Bytes(1)); }
  int64_t Number() {
    const uint64_t negative = Byte();
    const auto value = static_cast<int64_t>(LittleEndian(Bytes(number_size)));
    if (negative > 1) Fail("a sign (0 or 1)", Words(negative));
    return negative == 1 ? -value : value;
  }
  std::optional<std::string> Text() {
    const int64_t size = Number();
    if (size == -1) return std::nullopt;
    if (size < 0 || static_cast<uint64_t>(size) > kTextMax) {
      Fail("the length of a text", Words(size));
      return std::nullopt;
    }
    std::string text;
    while (text.size() < static_cast<uint64_t>(size) && ok()) {
      text += Bytes(std::min<size_t>(static_cast<size_t>(size) - text.size(), 32 << 10));
    }
    // What pg_dump writes is SQL and names: no control characters.
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7f) Fail("a text", HexOf({&c, 1}));
    }
    return text;
  }
  std::string Bytes(size_t count) {
    if (!ok()) return "";
    std::string bytes(reader_.Take(count));
    if (bytes.size() < count) ended_ = true;
    return bytes;
  }
  void Fail(std::string expected, std::string found) {
    if (!ok()) return;
    failed_ = true;
    expected_ = std::move(expected);
    found_ = std::move(found);
  }
  bool ok() const { return !failed_ && !ended_; }
  void Tell(Report& report, const char* where) const {
    if (ended_) return report.Truncated(reader_.at(), where);
    if (failed_) report.Damaged(reader_.at(), Words(expected_, " in ", where), found_);
  }
  uint64_t at() const { return reader_.at(); }
  size_t number_size = 4;

 private:
  Reader& reader_;
  bool failed_ = false;
  bool ended_ = false;
  std::string expected_;
  std::string found_;
};

struct Contents {
  int version = 0;
  int format = 0;
  bool compressed = false;
  std::string extension;          // Of data files in a directory: ".gz"
  bool known_compression = true;  // zlib or none.
  size_t offset_size = 8;
  std::vector<Entry> entries;
};

void ReadHeader(Fields& fields, Contents& contents) {
  if (fields.Bytes(5) != "PGDMP") fields.Fail("PGDMP", "something else");
  const auto major = static_cast<int>(fields.Byte());
  const auto minor = static_cast<int>(fields.Byte());
  fields.Byte();
  contents.version = Version(major, minor);
  if (contents.version < Version(1, 10) || contents.version > Version(1, 16)) {
    fields.Fail("a version from 1.10 to 1.16", Words(major, ".", minor));
  }
  fields.number_size = fields.Byte();
  contents.offset_size = fields.Byte();
  if (fields.number_size < 1 || fields.number_size > 8 || contents.offset_size < 1 || contents.offset_size > 8) {
    fields.Fail("sizes of numbers", Words(fields.number_size, " and ", contents.offset_size));
  }
  contents.format = static_cast<int>(fields.Byte());
  if (contents.version >= Version(1, 15)) {
    const uint64_t algorithm = fields.Byte();
    contents.compressed = algorithm != 0;
    contents.known_compression = algorithm < 2;
    contents.extension = algorithm == 0 ? "" : algorithm == 1 ? ".gz" : algorithm == 2 ? ".lz4" : ".zst";
  } else {
    contents.compressed = fields.Number() != 0;
    contents.extension = contents.compressed ? ".gz" : "";
  }
  const int64_t limits[][2] = {{0, 60}, {0, 59}, {0, 23}, {1, 31}, {0, 11}, {90, 300}, {-1, 1}};
  for (const auto& limit : limits) {
    const int64_t value = fields.Number();
    if (value < limit[0] || value > limit[1]) fields.Fail("the date of the dump", Words(value));
  }
  for (int i = 0; i < 3; ++i) fields.Text();  // Database, server's version, pg_dump's version.
}

void ReadEntry(Fields& fields, const Contents& contents, Entry& entry, Report& report) {
  entry.id = fields.Number();
  const int64_t has_data = fields.Number();
  if (has_data < 0 || has_data > 1) fields.Fail("whether an entry has data", Words(has_data));
  fields.Text();  // Table and object, as numbers in text.
  fields.Text();
  fields.Text();  // Tag, description.
  const std::string description = fields.Text().value_or("");
  const int64_t section = fields.Number();
  if (section < 0 || section > 4) fields.Fail("a section", Words(section));
  for (int i = 0; i < 5; ++i) fields.Text();                // Define, drop, copy; namespace, tablespace.
  if (contents.version >= Version(1, 14)) fields.Text();    // Access method.
  if (contents.version >= Version(1, 16)) fields.Number();  // Kind of relation.
  fields.Text();                                            // Owner.
  fields.Text();                                            // WITH OIDS: "false".
  while (fields.ok() && fields.Text()) {                    // Dependencies, up to an absent text.
  }
  if (contents.format == kCustom) {
    const uint64_t state = fields.Byte();
    entry.at = LittleEndian(fields.Bytes(contents.offset_size));
    if (state < 1 || state > 3) fields.Fail("whether an offset is set", Words(state));
    entry.has_data = has_data == 1;
    entry.placed = state == 2;
    entry.empty = state == 3;
  } else {
    const std::optional<std::string> file = fields.Text();
    entry.empty = !file || file->empty();
    if (entry.empty) return;
    const bool list = description == "BLOBS";  // A list of blobs, which is never compressed.
    // The tar format names a file for the list, and writes it under another name.
    if (list && EndsWith(*file, ".dat")) return report.Needs("blobs.toc");
    report.Needs(contents.compressed && !list ? *file + contents.extension : *file);
  }
}

// The chunks of one block as one flow: a length, then that many bytes, up to a length of zero.
class Chunks final : public Flow {
 public:
  explicit Chunks(Fields& fields) : fields_(fields) {}
  bool More(std::string& into) override {
    while (left_ == 0) {
      if (done_ || !fields_.ok()) return false;
      const int64_t size = fields_.Number();
      if (size < 0 || size > (int64_t{1} << 30)) fields_.Fail("the length of a chunk", Words(size));
      done_ = size == 0;
      left_ = fields_.ok() ? static_cast<uint64_t>(size) : 0;
    }
    const std::string piece = fields_.Bytes(static_cast<size_t>(std::min<uint64_t>(left_, 64 << 10)));
    left_ -= piece.size();
    into += piece;
    return fields_.ok();
  }

 private:
  Fields& fields_;
  uint64_t left_ = 0;
  bool done_ = false;
};

class PgDump final : public Decoder {
 public:
  const char* name() const override { return "pg_dump"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override { return head.substr(0, 5) == "PGDMP"; }

  void Decode(Source& source, Report& report) const override {
    Reader reader(source);
    Fields fields(reader);
    Contents contents;
    ReadHeader(fields, contents);
    const int64_t count = fields.Number();
    if (count < 0 || count > kEntriesMax) fields.Fail("the number of entries", Words(count));
    for (int64_t i = 0; i < count && fields.ok(); ++i) {
      contents.entries.emplace_back();
      ReadEntry(fields, contents, contents.entries.back(), report);
    }
    if (!fields.ok()) return fields.Tell(report, "the table of contents");
    if (contents.format == kCustom) return Blocks(reader, fields, contents, report);
    if (contents.format != kTar) return report.Damaged(10, "format 1 or 3", Words(contents.format));
    if (!reader.AtEnd()) report.Damaged(reader.at(), "the end of the table of contents", HexOf(reader.Peek(16)));
  }

 private:
  static void Blocks(Reader& reader, Fields& fields, const Contents& contents, Report& report) {
    std::map<int64_t, uint64_t> found;
    uint64_t checked = 0;
    while (!reader.AtEnd() && fields.ok()) {
      const uint64_t at = reader.at();
      const uint64_t kind = fields.Byte();
      const int64_t id = fields.Number();
      if (kind != 1 && kind != 3) fields.Fail("a block of data (1) or blobs (3)", Words(kind));
      if (!fields.ok()) break;
      found[id] = at;
      if (kind == 1) {
        if (!Block(fields, contents, Words("rows of entry ", id, ".txt"), report)) break;
      } else {
        for (int64_t blob = fields.Number(); blob != 0 && fields.ok(); blob = fields.Number()) {
          if (!Block(fields, contents, Words("blob ", blob), report)) break;
        }
      }
      if (contents.compressed && contents.known_compression) checked += reader.at() - at;
    }
    if (!fields.ok()) return fields.Tell(report, "the data");
    if (!report.clean()) return;
    for (const Entry& entry : contents.entries) {
      const auto block = found.find(entry.id);
      if (block == found.end() ? entry.has_data && !entry.empty : entry.placed && block->second != entry.at) {
        report.Missing(Words("the data of entry ", entry.id, entry.placed ? Words(" at offset ", entry.at) : ""),
                       block == found.end() ? "no such block" : Words("one at ", block->second));
      }
    }
    if (!contents.known_compression)
      return report.Undecided(0, "data compressed by zlib, or not", "lz4 or zstd, not unpacked here");
    report.Checked(checked);
  }

  // False: it is broken, and where it ends is not known.
  static bool Block(Fields& fields, const Contents& contents, const std::string& what, Report& report) {
    const uint64_t at = fields.at();
    Chunks chunks(fields);
    if (!contents.compressed || !contents.known_compression) {
      // Rows are text, blobs anything: nothing vouches for these bytes.
      FlowSource bytes(chunks);
      const size_t mark = report.Mark();
      report.Inside(what, bytes);
      bytes.Drain();
      if (!fields.ok()) report.ForgetSince(mark);
      return fields.ok();
    }
    FlowSource packed(chunks);
    Unpacker unpacker(packed, ZlibCodec(), report, Unpacker::Frames::kOne);
    FlowSource rows(unpacker);
    rows.Drain();
    packed.Drain();
    if (!fields.ok()) return false;
    if (!unpacker.ended_well() || packed.Size() != unpacker.at()) {
      if (packed.Size() == 0) return true;  // An empty table.
      report.Damaged(at, Words(what, ", compressed by zlib, with its checksum"),
                     Words("no end at ", unpacker.at(), " of ", packed.Size(), " bytes"));
      return false;
    }
    return true;
  }
};

// "16418 blob_16418.dat": which large objects a directory or a tar has.
class PgBlobs final : public Decoder {
 public:
  const char* name() const override { return "pg_blobs"; }
  bool Textual() const override { return true; }
  bool Recognises(std::string_view head) const override {
    const size_t digits = head.find_first_not_of("0123456789");
    return digits != head.npos && digits > 0 && StartsWith(head.substr(digits), " blob_");
  }
  void Decode(Source& source, Report& report) const override {
    Reader reader(source);
    std::string line;
    while (!reader.AtEnd()) {
      const uint64_t at = reader.at();
      const std::string_view piece = reader.Peek(256);
      const size_t end = piece.find('\n');
      const std::string_view whole = piece.substr(0, end);
      const size_t space = whole.find(' ');
      if (end == piece.npos) return report.Truncated(at, "the end of a line");
      if (space == whole.npos || whole.substr(space + 1) != Words("blob_", whole.substr(0, space), ".dat"))
        return report.Damaged(at, "a large object and its file", HexOf(whole));
      report.Needs(std::string(whole.substr(space + 1)));
      reader.Take(end + 1);
    }
  }
};

}  // namespace

std::unique_ptr<Decoder> MakePgBlobs() {
  return std::make_unique<PgBlobs>();
}
std::unique_ptr<Decoder> MakePgDump() {
  return std::make_unique<PgDump>();
}

}  // namespace reprise::backup
