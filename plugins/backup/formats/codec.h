// Decompressors behind one shape, and what flows out of them. The libraries check what their formats let them check;
// here stand what they leave to their callers: that the input ends with the last frame, and not before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/backup/judge/decoder.h"
#include "plugins/backup/judge/source.h"

namespace reprise::backup {

class Codec {
 public:
  enum class Step { kMore, kFrameEnd, kBroken, kTooLarge };
  virtual ~Codec() = default;
  // Begins a frame. False: these bytes do not begin one.
  virtual bool Begin(std::string_view head) = 0;
  // Takes from `in`, appends at most 256 KiB to `out`.
  virtual Step Run(std::string_view& in, std::string& out) = 0;
  // After kBroken and kTooLarge (which takes more memory than is given here): in the words of the library.
  virtual std::string Why() const = 0;
  // Every frame so far had a checksum of its content.
  virtual bool Checked() const = 0;
  // Bytes of headers that no checksum covers, and that may be anything.
  virtual uint64_t Loose() const { return 0; }
  // How many zeros may stand between frames: a multiple of it; 0: only behind the last one.
  virtual uint64_t Padding() const { return 0; }
};

inline constexpr size_t kUnpackPiece = 256 << 10;

std::unique_ptr<Codec> GzipCodec();
std::unique_ptr<Codec> RawDeflateCodec();  // As in zip: no header, no checksum.
std::unique_ptr<Codec> ZlibCodec();
std::unique_ptr<Codec> XzCodec();
std::unique_ptr<Codec> ZstdCodec();
std::unique_ptr<Codec> Bzip2Codec();

class Unpacker final : public Flow {
 public:
  // One frame only: what follows is not looked at (`at()` says where it begins).
  enum class Frames { kAll, kOne };
  Unpacker(Source& source, std::unique_ptr<Codec> codec, Report& report, Frames frames, uint64_t begin = 0);

  bool More(std::string& into) override;

  bool ended_well() const { return ended_ && fault_.empty() && !truncated_; }
  uint64_t at() const { return reader_.at(); }
  const Codec& codec() const { return *codec_; }
  // How many there were.
  uint64_t frames_ended() const { return frames_ended_; }
  // Says what was wrong, if anything was.
  void Tell(Report& report) const;

 private:
  bool End(std::string fault);
  // False: what stands here begins no frame, and is not allowed where it stands.
  bool Begin();
  bool SkipZeros();

  Reader reader_;
  const std::unique_ptr<Codec> codec_;
  Report& report_;
  const Frames frames_;
  bool in_frame_ = false;
  bool ended_ = false;
  bool truncated_ = false;
  bool endless_ = false;
  bool too_large_ = false;
  uint64_t frames_ended_ = 0;
  std::string expected_ = "data that can be unpacked";
  std::string fault_;
};

}  // namespace reprise::backup
