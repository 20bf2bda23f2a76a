// Whether a text is one JSON object that may be handed on: valid UTF-8, not too long, not too deep. Reads it without
// building it, so that what a plugin returns cannot exhaust who looks at it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace reprise::runner {

inline constexpr size_t kResultBytesMax = 1 << 20;
inline constexpr int kResultDepthMax = 64;

class DepthCounter : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool begins_with_object() const { return begins_with_object_; }

  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_integer(number_integer_t) override { return Value(); }
  bool number_unsigned(number_unsigned_t) override { return Value(); }
  bool number_float(number_float_t, const string_t&) override { return Value(); }
  bool string(string_t&) override { return Value(); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t&) override { return true; }
  bool start_object(std::size_t) override {
    if (depth_ == 0) begins_with_object_ = true;
    return ++depth_ <= kResultDepthMax;
  }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return depth_ > 0 && ++depth_ <= kResultDepthMax; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool Value() const { return depth_ > 0; }
  int depth_ = 0;
  bool begins_with_object_ = false;
};

// Empty if it may; else what is wrong.
inline std::string WhyNotAResult(std::string_view text) {
  if (text.size() > kResultBytesMax) return "a result of more than 1 MiB";
  DepthCounter counter;
  if (!nlohmann::json::sax_parse(text, &counter)) return "a result that is no JSON object, or deeper than 64";
  return counter.begins_with_object() ? "" : "a result that is no JSON object";
}

}  // namespace reprise::runner
