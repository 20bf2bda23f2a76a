// One file from its first byte to its last: chooses the decoder, goes into what the file contains, and says why what
// does not decode does not. Single-threaded; runs in the confined child.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plugins/backup/judge/decoder.h"

namespace reprise::backup {

// What one file (or one repository as a whole) turned out to be.
struct Outcome {
  std::string format;  // "png"; "unknown"
  Extent extent;
  std::vector<Finding> findings;
  std::vector<std::string> needs;  // Other files beside it that it names.
};

struct Limits {
  int depth_max = 6;
  // What may come out of one file: a fixed part and a multiple of its size.
  uint64_t unpacked_base = uint64_t{64} << 30;
  uint64_t unpacked_factor = 100;
};

class Examiner final : public Inspector {
 public:
  explicit Examiner(const std::vector<std::unique_ptr<Decoder>>& decoders, Limits limits = {})
      : decoders_(decoders), limits_(limits) {}

  // `name`: as it shall stand in evidence.
  Outcome Examine(Source& source, const std::string& name, uint64_t size);

  Extent Inspect(Source& source, const std::string& name, int depth, std::vector<Finding>& findings,
                 std::vector<std::string>& needs) override;
  bool Unpacked(uint64_t bytes) override;

 private:
  const Decoder* ByMagic(std::string_view head, bool text) const;
  const Decoder* ByName(std::string_view name) const;
  Outcome One(Source& source, const std::string& name, int depth);
  Outcome Empty(const std::string& name) const;
  Outcome Unknown(Source& source, const std::string& name) const;
  Outcome Decoded(Source& source, const std::string& name, int depth, const Decoder& decoder, std::string_view head);

  const std::vector<std::unique_ptr<Decoder>>& decoders_;
  const Limits limits_;
  uint64_t unpacked_ = 0;
  uint64_t unpacked_max_ = 0;
};

}  // namespace reprise::backup
