// DICOM (part 10 files): the meta group, then every element and item to the last byte. Pixels have no checksum; bits
// that must be zero in them are looked at, and whether a part of them is random.
#include <algorithm>
#include <array>
#include <optional>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/codec.h"
#include "plugins/backup/judge/bulk.h"
#include "plugins/backup/judge/statistics.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

constexpr uint64_t kUndefined = 0xffffffff;
constexpr int kDepthMax = 16;
constexpr size_t kInflatedMax = size_t{256} << 20;
constexpr uint32_t kPixels = 0x7fe00010, kItem = 0xfffee000, kItemEnd = 0xfffee00d, kSequenceEnd = 0xfffee0dd;

constexpr std::string_view kShort = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
constexpr std::string_view kLong = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";

struct Element {
  uint64_t at = 0;
  uint32_t tag = 0;
  std::string type;  // Empty where it is implicit.
  uint64_t size = 0;
};

// Neighbours in a picture are alike; random bytes differ by 85 on average. A few runs of noise between smooth ones are no picture.
class Noise {
 public:
  explicit Noise(size_t distance) : distance_(distance) {}
  void Look(std::string_view bytes, uint64_t at) {
    for (size_t i = 0; i + kCell <= bytes.size(); i += kCell, ++all_) {
      const std::string_view cell = bytes.substr(i, kCell);
      if (distance_ >= kCell / 4 || Difference(cell) < kRandomLeast || ChiSquare(cell) > 355) continue;
      if (cells_++ == 0) first_ = at + i;
    }
  }
  bool Stands() const { return cells_ > 0 && cells_ * 4 <= all_; }
  uint64_t cells() const { return cells_; }
  uint64_t first() const { return first_; }

 private:
  static constexpr size_t kCell = 512;
  static constexpr uint64_t kRandomLeast = 72;
  uint64_t Difference(std::string_view cell) const {
    const size_t pairs = cell.size() - distance_;
    uint64_t sum = 0;
    size_t i = 0;
#ifdef __SSE2__
    __m128i sums = _mm_setzero_si128();
    for (; i + 16 <= pairs; i += 16) {
      sums = _mm_add_epi64(sums, _mm_sad_epu8(bulk_internal::Load(cell.data() + i), bulk_internal::Load(cell.data() + i + distance_)));
    }
    sum = static_cast<uint64_t>(_mm_cvtsi128_si64(sums)) + static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_srli_si128(sums, 8)));
#endif
    for (; i < pairs; ++i) {
      const int difference = static_cast<unsigned char>(cell[i]) - static_cast<unsigned char>(cell[i + distance_]);
      sum += static_cast<uint64_t>(difference < 0 ? -difference : difference);
    }
    return sum / pairs;
  }

  const size_t distance_;
  uint64_t all_ = 0, cells_ = 0, first_ = 0;
};

class Parser {
 public:
  Parser(Source& source, Report& report) : source_(source), report_(report), at_(132) {}

  void File() {
    if (!Meta()) return;
    if (syntax_ == "1.2.840.10008.1.2.1.99") return Deflated();
    explicit_ = syntax_ != "1.2.840.10008.1.2";
    big_ = syntax_ == "1.2.840.10008.1.2.2";
    encapsulated_ = explicit_ && !big_ && syntax_ != "1.2.840.10008.1.2.1";
    Elements(source_.Size(), 0);
    if (report_.clean()) Preamble();
    if (report_.clean() && !pixels_ && rows_ > 0) report_.Missing("pixel data", "rows and columns, and no pixels");
  }

  // A data set without the head of a file, as it comes out of a deflated one.
  void DataSet() {
    at_ = 0;
    Elements(source_.Size(), 0);
  }

 private:
  void Deflated() {
    Unpacker unpacker(source_, RawDeflateCodec(), report_, Unpacker::Frames::kOne, at_);
    std::string bytes;
    while (unpacker.More(bytes)) {
      if (bytes.size() > kInflatedMax) return report_.Undecided(at_, Words("a data set of at most ", kInflatedMax, " bytes"), "a larger one");
    }
    if (!unpacker.ended_well()) return unpacker.Tell(report_);
    if (source_.Size() - unpacker.at() > 1) return static_cast<void>(Bad(unpacker.at(), "the end of the file", "more bytes"));
    MemorySource data(std::move(bytes));
    Parser(data, report_).DataSet();
  }

  // Before the mark anything may stand; what stands there is zeros, or the head of another format (TIFF).
  void Preamble() {
    const std::string bytes = source_.ReadString(0, 128);
    if (bytes.find_first_not_of('\0') == bytes.npos || StartsWith(bytes, "II") || StartsWith(bytes, "MM")) return;
    if (LooksLikeShortNoise(std::string_view(bytes).substr(0, 64)) || LooksLikeShortNoise(std::string_view(bytes).substr(64)))
      return static_cast<void>(Bad(0, "128 bytes of zeros, or the head of another format", HexOf(bytes)));
    if (LookOf(bytes) != Look::kText) report_.Undecided(0, "128 bytes of zeros, or the head of another format", HexOf(bytes));
  }

  bool Bad(uint64_t at, std::string expected, std::string found) {
    if (report_.clean()) report_.Damaged(at, std::move(expected), std::move(found));
    return false;
  }
  bool Early(std::string expected) {
    if (report_.clean()) report_.Truncated(source_.Size(), std::move(expected));
    return false;
  }
  uint64_t Number(std::string_view bytes) const { return big_ ? BigEndian(bytes) : LittleEndian(bytes); }

  // The header of the element at at_.
  std::optional<Element> Next() {
    const std::string head = source_.ReadString(at_, 12);
    Element element;
    element.at = at_;
    if (head.size() < 8) {
      Early("an element");
      return std::nullopt;
    }
    const std::string_view fields(head);
    element.tag = static_cast<uint32_t>(Number(fields.substr(0, 2)) << 16 | Number(fields.substr(2, 2)));
    if (!explicit_ || element.tag >> 16 == 0xfffe) {
      element.size = Number(fields.substr(4, 4));
      at_ += 8;
      return element;
    }
    element.type = head.substr(4, 2);
    if (kShort.find(element.type) != std::string_view::npos && element.type.find(' ') == std::string::npos) {
      element.size = Number(fields.substr(6, 2));
      at_ += 8;
    } else if (kLong.find(element.type) != std::string_view::npos && element.type.find(' ') == std::string::npos &&
               head.size() == 12) {
      element.size = Number(fields.substr(8, 4));
      at_ += 12;
    } else {
      Bad(at_ + 4, "the type of an element (two letters)", HexOf(element.type));
      return std::nullopt;
    }
    return element;
  }

  bool Meta() {
    uint64_t end = 0;
    uint32_t last = 0;
    while (end == 0 || at_ < end) {
      const auto element = Next();
      if (!element) return false;
      if (element->tag >> 16 != 2 || element->tag <= last || element->size > 65536) {
        return Bad(element->at, "an element of the meta group, in order", Words("tag ", Hex8(element->tag)));
      }
      const std::string value = source_.ReadString(at_, static_cast<size_t>(element->size));
      if (value.size() < element->size) return Early("the meta group");
      at_ += element->size;
      if (element->tag == 0x00020000) end = at_ + LittleEndian(value);
      if (element->tag == 0x00020010) syntax_ = value.substr(0, value.find('\0'));
      last = element->tag;
      if (end == 0) return Bad(element->at, "the length of the meta group", "another element");
    }
    if (at_ != end || syntax_.empty()) return Bad(at_, "a transfer syntax, and the end of the meta group", "neither");
    return true;
  }

  // Elements up to `end`, or to the end of an item of undefined length.
  bool Elements(uint64_t end, int depth, bool delimited = false) {
    uint32_t last = 0;
    while (at_ < end) {
      const auto element = Next();
      if (!element) return false;
      if (delimited && element->tag == kItemEnd) return true;
      if (element->tag <= last) return Bad(element->at, Words("a tag behind ", Hex8(last)), Words(Hex8(element->tag)));
      last = element->tag;
      if (!Value(*element, end, depth)) return false;
    }
    if (delimited) return Early("the end of an item");
    return at_ == end || Bad(at_, Words("the end of an item at ", end), "an element that goes on");
  }

  bool Value(const Element& element, uint64_t end, int depth) {
    if (element.size == kUndefined) {
      if (element.tag == kPixels) return Fragments();
      const bool was_explicit = explicit_;
      if (element.type == "UN") explicit_ = false;  // As the standard has it for sequences of unknown kind.
      const bool whole = Sequence(end, depth, true);
      explicit_ = was_explicit;
      return whole;
    }
    if (at_ + element.size > end) {
      return end == source_.Size() ? Early(Words(element.size, " bytes of ", Hex8(element.tag)))
                                   : Bad(element.at, "an element inside of its item", Words(element.size, " bytes"));
    }
    if (element.type == "SQ" && element.size > 0) return Sequence(at_ + element.size, depth, false);
    if (element.size <= 64) Remember(element);
    if (element.tag == kPixels && depth == 0 && !Pixels(element)) return false;
    at_ += element.size;
    return true;
  }

  void Remember(const Element& element) {
    const uint64_t value = Number(source_.ReadString(at_, static_cast<size_t>(std::min<uint64_t>(element.size, 2))));
    switch (element.tag) {
      case 0x00280002:
        samples_ = value;
        break;
      case 0x00280010:
        rows_ = value;
        break;
      case 0x00280011:
        columns_ = value;
        break;
      case 0x00280100:
        allocated_ = value;
        break;
      case 0x00280101:
        stored_ = value;
        break;
      case 0x00280102:
        high_bit_ = value;
        break;
      case 0x00280103:
        signed_ = value == 1;
        break;
      default:
        break;
    }
  }

  bool Sequence(uint64_t end, int depth, bool delimited) {
    if (depth >= kDepthMax) return Bad(at_, Words("at most ", kDepthMax, " sequences in each other"), "more");
    while (delimited || at_ < end) {
      const auto item = Next();
      if (!item) return false;
      if (delimited && item->tag == kSequenceEnd) return true;
      if (item->tag != kItem) return Bad(item->at, "an item", Words("tag ", Hex8(item->tag)));
      const bool open = item->size == kUndefined;
      if (!open && at_ + item->size > end)
        return Bad(item->at, "an item inside of its sequence", Words(item->size, " bytes"));
      if (!Elements(open ? end : at_ + item->size, depth + 1, open)) return false;
    }
    return true;
  }

  // Compressed pixels: a table of offsets, then pieces, each judged as the picture it is.
  bool Fragments() {
    pixels_ = true;
    for (int piece = 0;; ++piece) {
      const auto item = Next();
      if (!item) return false;
      if (item->tag == kSequenceEnd) return true;
      if (item->tag != kItem || item->size == kUndefined)
        return Bad(item->at, "a piece of the picture", Words("tag ", Hex8(item->tag)));
      if (at_ + item->size > source_.Size()) return Early("a piece of the picture");
      const bool jpeg = syntax_ == "1.2.840.10008.1.2.4.50" || syntax_ == "1.2.840.10008.1.2.4.51";
      if (piece > 0 && jpeg) {
        SliceSource frame(source_, at_, item->size);
        report_.Inside(Words("frame ", piece, ".jpg"), frame);
      } else if (piece == 1) {
        report_.Undecided(item->at, "pixels that are not compressed, or as JPEG", syntax_);
      }
      at_ += item->size;
    }
  }

  bool Pixels(const Element& element) {
    pixels_ = true;
    const uint64_t wanted = rows_ * columns_ * std::max<uint64_t>(samples_, 1) * allocated_ / 8;
    if (samples_ == 1 && wanted > 0 && element.size + 1 < wanted) {
      return Bad(element.at, Words(wanted, " bytes of pixels"), Words(element.size));
    }
    const bool spare =
        allocated_ == 16 && stored_ > 0 && stored_ < 16 && high_bit_ + 1 == stored_ && !signed_ && !encapsulated_;
    const uint64_t mask = spare ? 0xffffU << stored_ & 0xffffU : 0;
    SliceSource pixels(source_, at_, element.size);
    if (LooksStriped(Sample(pixels))) return Bad(at_, "pixels", "runs of 16 random bytes between them");
    const std::array<unsigned char, 2> spare_bits =
        big_ ? std::array<unsigned char, 2>{static_cast<unsigned char>(mask >> 8), static_cast<unsigned char>(mask)}
             : std::array<unsigned char, 2>{static_cast<unsigned char>(mask), static_cast<unsigned char>(mask >> 8)};
    std::string room;
    Noise noise(static_cast<size_t>(std::max<uint64_t>(1, allocated_ / 8) * std::max<uint64_t>(samples_, 1)));
    uint64_t windows = 0, overfull = 0, random = 0, first_overfull = 0, first_random = 0;
    for (uint64_t at = 0; at < element.size;) {
      const std::string_view piece = pixels.View(at, 64 * kWindow, room);
      if (piece.empty()) return Early("pixels");
      for (size_t i = 0; i < piece.size(); i += kWindow, ++windows) {
        const std::string_view bytes = piece.substr(i, kWindow);
        const bool over = mask != 0 && AnyBits(bytes, spare_bits);
        if (over && overfull++ == 0) first_overfull = at_ + at + i;
        noise.Look(bytes, at_ + at + i);
        if (bytes.size() == kWindow && LookOf(bytes) == Look::kRandom && random++ == 0) first_random = at_ + at + i;
      }
      at += piece.size();
    }
    // A picture that is too full everywhere was made so; one that is so in a part was changed.
    if (overfull > 0 && overfull < windows)
      return Bad(first_overfull, Words("pixels of ", stored_, " bits"), "more bits");
    if (overfull > 0) report_.Undecided(first_overfull, Words("pixels of ", stored_, " bits"), "more bits everywhere");
    if (random > 0) report_.Undecided(first_random, "pixels", Words(random, " windows of 4 KiB that look random"));
    if (random == 0 && noise.Stands())
      report_.Undecided(noise.first(), "pixels", Words(noise.cells(), " runs of 512 bytes of noise between smooth ones"));
    return true;
  }

  // The first bytes, in which stripes would show.
  std::string_view Sample(SliceSource& pixels) {
    constexpr size_t kSample = 256 << 10;
    const std::string_view there = pixels.View(0, kSample, sample_);
    if (there.size() == std::min<uint64_t>(kSample, pixels.Size())) return there;
    sample_ = pixels.ReadString(0, kSample);
    return sample_;
  }

  Source& source_;
  Report& report_;
  std::string sample_;
  uint64_t at_;
  std::string syntax_;
  bool explicit_ = true, big_ = false, encapsulated_ = false, pixels_ = false, signed_ = false;
  uint64_t samples_ = 1, rows_ = 0, columns_ = 0, allocated_ = 0, stored_ = 0, high_bit_ = 0;
};

class Dicom final : public Decoder {
 public:
  const char* name() const override { return "dicom"; }
  bool Recognises(std::string_view head) const override { return head.size() >= 132 && head.substr(128, 4) == "DICM"; }
  void Decode(Source& source, Report& report) const override {
    if (!source.Settle())
      return report.Undecided(0, "a study that fits into memory, or is a file", "a larger one, compressed");
    Parser(source, report).File();
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeDicom() {
  return std::make_unique<Dicom>();
}

}  // namespace reprise::backup
