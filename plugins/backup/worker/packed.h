// Numbers and texts behind each other in a string, each of its own length: texts may hold any byte. What is read may come
// from a child that has seen hostile bytes, or from a damaged file: everything is bounded and checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reprise::backup {

class Packer {
 public:
  Packer& Number(uint64_t value) {
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
    bytes[size++] = static_cast<char>(value);
    text_.append(bytes, size);
    return *this;
  }
  Packer& Text(std::string_view text) {
    Number(text.size());
    text_ += text;
    return *this;
  }
  std::string& text() { return text_; }

 private:
  std::string text_;
};

// After anything that does not fit, ok() is false and everything else is empty.
class PackReader {
 public:
  explicit PackReader(std::string_view text) : rest_(text) {}

  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view Text() {
    const uint64_t size = Number();
    ok_ = ok_ && size <= rest_.size();
    if (!ok_) return {};
    const std::string_view text = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(text.size());
    return text;
  }
  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace reprise::backup
