// JPEG: decoded to its last pixel by libjpeg, whose every warning counts; then nothing but the end, or a further
// picture (cameras append thumbnails). The format has no checksum.
// clang-format off
#include <cstdio>  // Each needs the one before it.
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

#include <vector>

#include "plugins/backup/formats/all.h"

namespace reprise::backup {
namespace {

constexpr long kMemoryMax = 256L << 20;

// libjpeg's view of a source.
struct Input {
  jpeg_source_mgr manager;
  Source* source;
  uint64_t at;  // Of the first byte after the buffer.
  bool ended;
  std::string buffer;
};

// Where libjpeg's errors go: its way out of an error is a jump.
struct Errors {
  jpeg_error_mgr manager;
  jmp_buf out;
  char words[JMSG_LENGTH_MAX];
};

boolean Fill(j_decompress_ptr picture) {
  static const JOCTET kEnd[] = {0xff, JPEG_EOI};
  auto* input = reinterpret_cast<Input*>(picture->src);
  input->buffer.resize(64 << 10);
  input->buffer.resize(input->source->Read(input->at, input->buffer.data(), input->buffer.size()));
  input->at += input->buffer.size();
  if (input->buffer.empty()) {
    input->ended = true;
    input->manager.next_input_byte = kEnd;
    input->manager.bytes_in_buffer = sizeof kEnd;
    WARNMS(picture, JWRN_JPEG_EOF);
    return TRUE;
  }
  input->manager.next_input_byte = reinterpret_cast<const JOCTET*>(input->buffer.data());
  input->manager.bytes_in_buffer = input->buffer.size();
  return TRUE;
}

void Skip(j_decompress_ptr picture, long count) {
  auto* input = reinterpret_cast<Input*>(picture->src);
  while (count > 0 && !input->ended) {
    const long here = std::min<long>(count, static_cast<long>(input->manager.bytes_in_buffer));
    input->manager.next_input_byte += here;
    input->manager.bytes_in_buffer -= static_cast<size_t>(here);
    count -= here;
    if (count > 0) Fill(picture);
  }
}

void Nothing(j_decompress_ptr) {}

[[noreturn]] void OnError(j_common_ptr picture) {
  auto* errors = reinterpret_cast<Errors*>(picture->err);
  errors->manager.format_message(picture, errors->words);
  longjmp(errors->out, 1);
}

void OnMessage(j_common_ptr picture, int level) {
  if (level >= 0) return;
  auto* errors = reinterpret_cast<Errors*>(picture->err);
  if (errors->manager.num_warnings++ == 0) errors->manager.format_message(picture, errors->words);
}

// True: every line of it came out. No object with a destructor may live across the jump in here.
bool DecodePixels(jpeg_decompress_struct& picture, Errors& errors, std::vector<JSAMPLE>& line) {
  if (setjmp(errors.out) != 0) return false;
  jpeg_read_header(&picture, TRUE);
  picture.dct_method = JDCT_IFAST;
  picture.do_fancy_upsampling = FALSE;
  jpeg_start_decompress(&picture);
  line.resize(static_cast<size_t>(picture.output_width) * static_cast<size_t>(picture.output_components));
  while (picture.output_scanline < picture.output_height) {
    JSAMPROW row = line.data();
    jpeg_read_scanlines(&picture, &row, 1);
  }
  jpeg_finish_decompress(&picture);
  return true;
}

class Jpeg final : public Decoder {
 public:
  const char* name() const override { return "jpeg"; }
  bool Dense() const override { return true; }
  bool Recognises(std::string_view head) const override { return head.substr(0, 3) == "\xff\xd8\xff"; }

  void Decode(Source& source, Report& report) const override {
    Errors errors{};
    jpeg_decompress_struct picture{};
    picture.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = OnError;
    errors.manager.emit_message = OnMessage;
    jpeg_create_decompress(&picture);
    picture.mem->max_memory_to_use = kMemoryMax;
    Input input{{}, &source, 0, false, ""};
    input.manager.init_source = Nothing;
    input.manager.fill_input_buffer = Fill;
    input.manager.skip_input_data = Skip;
    input.manager.resync_to_restart = jpeg_resync_to_restart;
    input.manager.term_source = Nothing;
    picture.src = &input.manager;
    std::vector<JSAMPLE> line;
    const bool whole = DecodePixels(picture, errors, line);
    const uint64_t at = input.at - (input.ended ? 0 : input.manager.bytes_in_buffer);
    jpeg_destroy_decompress(&picture);
    if (input.ended) return report.Truncated(at, "image data and the marker EOI");
    if (!whole && errors.manager.msg_code == JERR_BAD_PRECISION)
      return report.Undecided(at, "a JPEG of 8 bits, as can be decoded here", errors.words);
    if (!whole || errors.manager.num_warnings > 0)
      return report.Damaged(at, "image data to the marker EOI", errors.words);
    const std::string rest = source.ReadString(at, 16);
    const bool padding = rest.size() == 1 && (rest[0] == '\0' || rest[0] == '\n');  // To an even length, in DICOM; in PDF.
    if (!rest.empty() && !padding && rest.substr(0, 3) != "\xff\xd8\xff") {
      report.Damaged(at, "the end of the file behind EOI", HexOf(rest));
    }
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeJpeg() {
  return std::make_unique<Jpeg>();
}

}  // namespace reprise::backup
