// The bytes of one message between two stores: in memory while they are few, else in a file without a name, which is gone when the
// process is, however that ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "plugins/mail/store.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/sha256.h"

namespace reprise::mail {

class Parcel {
 public:
  static constexpr size_t kInMemory = 1 << 20;

  // `folder`: where the file would be.
  explicit Parcel(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Add(std::string_view piece);
  uint64_t bytes() const { return bytes_; }
  // After the last Add.
  const std::string& Sha256();
  // Gives all of it, as often as called. REQUIRES: the parcel outlives it.
  std::function<void(const Sink&)> Body() const;

 private:
  void Write(std::string_view piece);

  std::filesystem::path folder_;
  std::string memory_;
  sdk::Fd file_;
  uint64_t bytes_ = 0;
  sdk::Sha256 hash_;
  std::string sha256_;
};

}  // namespace reprise::mail
