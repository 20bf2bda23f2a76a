// zip, and what is one (office documents, jar): every member unpacked against its CRC, the local headers against the
// central directory, every byte accounted for.
#include <zlib.h>

#include <algorithm>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/codec.h"
#include "plugins/backup/formats/zip_directory.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// Bytes that flow out, with their CRC taken on the way.
class CheckedFlow final : public Flow {
 public:
  explicit CheckedFlow(Flow& flow) : flow_(flow) {}
  bool More(std::string& into) override {
    const size_t had = into.size();
    const bool more = flow_.More(into);
    crc_ = static_cast<uint32_t>(
        crc32(crc_, reinterpret_cast<const Bytef*>(into.data() + had), static_cast<uInt>(into.size() - had)));
    size_ += into.size() - had;
    return more;
  }
  uint32_t crc() const { return crc_; }
  uint64_t size() const { return size_; }

 private:
  Flow& flow_;
  uint32_t crc_ = 0;
  uint64_t size_ = 0;
};

// A stored member, piece by piece.
class StoredFlow final : public Flow {
 public:
  StoredFlow(Source& source, uint64_t at, uint64_t size) : source_(source), at_(at), left_(size) {}
  bool More(std::string& into) override {
    const std::string piece = source_.ReadString(at_, static_cast<size_t>(std::min<uint64_t>(left_, kUnpackPiece)));
    into += piece;
    at_ += piece.size();
    left_ -= piece.size();
    return !piece.empty() && left_ > 0;
  }

 private:
  Source& source_;
  uint64_t at_;
  uint64_t left_;
};

std::unique_ptr<Codec> CodecOf(uint64_t method) {
  switch (method) {
    case 8:
      return RawDeflateCodec();
    case 12:
      return Bzip2Codec();
    case 93:
      return ZstdCodec();
    case 95:
      return XzCodec();
  }
  return nullptr;
}

class Zip final : public Decoder {
 public:
  const char* name() const override { return "zip"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override {
    return head.substr(0, 4) == "PK\3\4" || head.substr(0, 4) == "PK\5\6";
  }

  void Decode(Source& source, Report& report) const override {
    if (!source.Settle()) {
      return report.Undecided(0, "a zip that fits into memory, or stands in a file of its own",
                              "a larger one, compressed once more");
    }
    ZipDirectory directory;
    if (!ReadZipDirectory(source, report, directory)) return;
    std::sort(directory.members.begin(), directory.members.end(),
              [](const ZipMember& a, const ZipMember& b) { return a.header_at < b.header_at; });
    uint64_t at = 0;
    // Attributes and the like have no checksum: with them, a zip never stands under checksums to its last bit.
    uint64_t accounted = source.Size() - directory.begins - std::min(source.Size() - directory.begins, directory.loose);
    for (const ZipMember& member : directory.members) {
      if (member.header_at < at) {
        return report.Damaged(member.header_at, Words("a member from ", at, " on"), "members that overlap (a bomb)");
      }
      const uint64_t end = Member(source, report, member);
      if (end == 0) continue;
      if (end > directory.begins)
        return report.Damaged(member.header_at, "a member before the directory", "one that reaches into it");
      accounted += end - member.header_at;
      accounted -= std::min(accounted, member.loose + LocalLoose(source, member));
      at = end;
    }
    report.Checked(accounted);
  }

 private:
  // Of the local header: version, time, extra fields.
  static uint64_t LocalLoose(Source& source, const ZipMember& member) {
    return 6 + LittleEndian(source.ReadString(member.header_at + 28, 2));
  }

  // Where the member ends; 0 when that is not known.
  static uint64_t Member(Source& source, Report& report, const ZipMember& member) {
    const std::string local = source.ReadString(member.header_at, 30);
    if (local.size() < 30 || local.substr(0, 4) != "PK\3\4") {
      report.Damaged(member.header_at, Words("the local header of ", member.name), HexOf(local));
      return 0;
    }
    const std::string_view header(local);
    const uint64_t name_size = LittleEndian(header.substr(26, 2));
    const uint64_t data = member.header_at + 30 + name_size + LittleEndian(header.substr(28, 2));
    const std::string name = source.ReadString(member.header_at + 30, static_cast<size_t>(name_size));
    if (name != member.name || LittleEndian(header.substr(8, 2)) != member.method ||
        LittleEndian(header.substr(6, 2)) != member.flags) {
      report.Damaged(member.header_at, Words("the local header of ", member.name, ", as in the directory"),
                     Words("that of ", name.substr(0, 80)));
      return 0;
    }
    if (!member.has_descriptor() && LittleEndian(header.substr(14, 4)) != member.crc) {
      report.Damaged(member.header_at + 14, Words("the same CRC as in the directory for ", member.name),
                     HexOf(header.substr(14, 4)));
      return 0;
    }
    if (member.encrypted()) {
      report.Unreadable(data, "the password of the archive", Words(member.name, " is encrypted by its archive"));
      return 0;
    }
    if (!Content(source, report, member, data)) return 0;
    return DescriptorEnd(source, report, member, data + member.packed);
  }

  static bool Content(Source& source, Report& report, const ZipMember& member, uint64_t data) {
    SliceSource packed(source, data, member.packed);
    StoredFlow stored(source, data, member.packed);
    std::unique_ptr<Codec> codec = CodecOf(member.method);
    if (!codec && member.method != 0) {
      report.Undecided(data, "a method of packing that is known here", Words("method ", member.method));
      return false;
    }
    std::unique_ptr<Unpacker> unpacker;
    if (codec) unpacker = std::make_unique<Unpacker>(packed, std::move(codec), report, Unpacker::Frames::kOne);
    Flow& flow = unpacker ? static_cast<Flow&>(*unpacker) : stored;
    CheckedFlow checked(flow);
    FlowSource inner(checked);
    const size_t mark = report.Mark();
    if (member.size > 0 || !EndsWith(member.name, "/")) report.Inside(member.name, inner);
    inner.Drain();
    const bool all_taken = !unpacker || (unpacker->ended_well() && unpacker->at() == member.packed);
    if (all_taken && checked.crc() == member.crc && checked.size() == member.size) {
      if (!report.VouchSince(mark)) report.NotDecoded(std::max<uint64_t>(member.packed, 1));
      return true;
    }
    report.ForgetSince(mark);
    report.Damaged(data, Words(member.size, " bytes of ", member.name, " with CRC ", Hex8(member.crc)),
                   Words(checked.size(), " bytes with CRC ", Hex8(checked.crc())));
    return false;
  }

  // Behind data whose size was not known when its header was written.
  static uint64_t DescriptorEnd(Source& source, Report& report, const ZipMember& member, uint64_t at) {
    if (!member.has_descriptor()) return at;
    const std::string bytes = source.ReadString(at, 24);
    const size_t signature = bytes.substr(0, 4) == "PK\7\x8" ? 4 : 0;
    const std::string_view fields = std::string_view(bytes).substr(std::min(signature, bytes.size()));
    for (const size_t width : {4, 8}) {
      if (fields.size() >= 4 + 2 * width && LittleEndian(fields.substr(0, 4)) == member.crc &&
          LittleEndian(fields.substr(4, width)) == member.packed &&
          LittleEndian(fields.substr(4 + width, width)) == member.size) {
        return at + signature + 4 + 2 * width;
      }
    }
    report.Damaged(at, Words("the sizes and CRC of ", member.name), HexOf(bytes));
    return 0;
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeZip() {
  return std::make_unique<Zip>();
}

}  // namespace reprise::backup
