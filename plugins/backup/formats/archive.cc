// 7z, cpio, and what else libarchive reads with checks of its own. Only 7z stands wholly under checksums.
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr std::string_view k7z("7z\xbc\xaf\x27\x1c", 6);

struct Input {
  Source* source;
  uint64_t at = 0;
  std::string piece;
};

la_ssize_t Read(archive*, void* data, const void** bytes) {
  auto* input = static_cast<Input*>(data);
  input->piece = input->source->ReadString(input->at, 64 << 10);
  input->at += input->piece.size();
  *bytes = input->piece.data();
  return static_cast<la_ssize_t>(input->piece.size());
}
la_int64_t Seek(archive*, void* data, la_int64_t offset, int whence) {
  auto* input = static_cast<Input*>(data);
  const auto size = static_cast<la_int64_t>(input->source->Size());
  const la_int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<la_int64_t>(input->at) : size;
  const la_int64_t at = std::clamp<la_int64_t>(base + offset, 0, size);
  input->at = static_cast<uint64_t>(at);
  return at;
}

// One member's content, as it is unpacked.
class MemberFlow final : public Flow {
 public:
  MemberFlow(archive* from, Report& report) : from_(from), report_(report), piece_(256 << 10, '\0') {}
  bool More(std::string& into) override {
    const la_ssize_t got = archive_read_data(from_, piece_.data(), piece_.size());
    if (got < 0 || (got > 0 && !report_.Unpacked(static_cast<uint64_t>(got)))) failed_ = true;
    if (got <= 0 || failed_) return false;
    into.append(piece_, 0, static_cast<size_t>(got));
    return true;
  }
  bool failed() const { return failed_; }

 private:
  archive* const from_;
  Report& report_;
  std::string piece_;
  bool failed_ = false;
};

class Archive final : public Decoder {
 public:
  const char* name() const override { return "archive"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override {
    if (StartsWith(head, k7z)) return true;
    // cpio, in text and in the two orders of bytes.
    return StartsWith(head, "070701") || StartsWith(head, "070702") || StartsWith(head, "070707") ||
           (head.size() >= 26 && (StartsWith(head, "\xc7\x71") || StartsWith(head, "\x71\xc7")));
  }

  void Decode(Source& source, Report& report) const override {
    if (!source.Settle())
      return report.Undecided(0, "an archive that fits into memory, or is a file", "a larger one, compressed");
    const std::unique_ptr<archive, int (*)(archive*)> from(archive_read_new(), archive_read_free);
    archive_read_support_format_7zip(from.get());
    archive_read_support_format_cpio(from.get());
    Input input{&source};
    archive_read_set_read_callback(from.get(), Read);
    archive_read_set_seek_callback(from.get(), Seek);
    archive_read_set_callback_data(from.get(), &input);
    const bool sevenzip = source.ReadString(0, 6) == k7z;
    int code = archive_read_open1(from.get());
    archive_entry* entry = nullptr;
    while (code == ARCHIVE_OK && (code = archive_read_next_header(from.get(), &entry)) == ARCHIVE_OK) {
      if (archive_entry_is_encrypted(entry) != 0)
        return report.Unreadable(0, "the password of the archive", "encrypted members");
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      MemberFlow flow(from.get(), report);
      FlowSource content(flow);
      const size_t mark = report.Mark();
      const char* path = archive_entry_pathname(entry);
      const Extent inside = report.Inside(path == nullptr ? "member" : path, content);
      content.Drain();
      if (flow.failed()) {
        report.ForgetSince(mark);
        code = ARCHIVE_FATAL;
      } else if (sevenzip ? !report.VouchSince(mark) : inside.decoded < inside.bytes) {
        report.NotDecoded(std::max<uint64_t>(1, inside.bytes - inside.decoded));
      }
    }
    if (archive_read_has_encrypted_entries(from.get()) == 1) {
      return report.Unreadable(0, "the password of the archive", "encrypted headers");
    }
    if (code != ARCHIVE_EOF) {
      const char* words = archive_error_string(from.get());
      return report.Damaged(input.at, "an archive that can be unpacked", words == nullptr ? "an error" : words);
    }
    Ending(source, report, sevenzip);
  }

 private:
  static uint32_t Crc(std::string_view bytes) {
    return static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  }

  // What the headers of 7z say of themselves and of the size, and that nothing stands behind them: libarchive looks at less.
  static void Ending(Source& source, Report& report, bool sevenzip) {
    if (!sevenzip) return;
    const std::string header = source.ReadString(0, 32);
    const std::string_view fields(header);
    const uint64_t size = LittleEndian(fields.substr(20, 8));
    const uint64_t begin = 32 + LittleEndian(fields.substr(12, 8));
    const uint64_t end = begin + size;
    if (fields[6] != 0 || fields[7] > 4) return report.Damaged(6, "version 0.0 to 0.4", HexOf(fields.substr(6, 2)));
    if (Crc(fields.substr(12)) != LittleEndian(fields.substr(8, 4)))
      return report.Damaged(8, "a first header with its CRC", Words("CRC ", Hex8(Crc(fields.substr(12)))));
    const std::string last = source.ReadString(begin, static_cast<size_t>(std::min<uint64_t>(size, source.Size())));
    if (Crc(last) != LittleEndian(fields.substr(28, 4)))
      return report.Damaged(begin, "a last header with its CRC", Words("CRC ", Hex8(Crc(last))));
    if (source.Size() > end) return report.Damaged(end, "the end of the archive", HexOf(source.ReadString(end, 16)));
    report.CheckedAll();
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeArchive() {
  return std::make_unique<Archive>();
}

}  // namespace reprise::backup
