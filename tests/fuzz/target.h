// What every target needs: a claim that must hold, whatever the input. A claim that does not hold ends the process, as a
// crash does, so that both ways of running find it in the same way.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace reprise::fuzz {

inline void Check(bool holds, std::string_view claim, std::string_view detail = "") {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s %.*s\n", static_cast<int>(claim.size()), claim.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What stands on the wire and in the journal is far longer; longer inputs only make every run slower.
inline constexpr size_t kInputMax = 64 << 10;

// A message's one form: what two states are compared by.
template <typename Message>
std::string Bytes(const Message& message) {
  return message.SerializeAsString();  // No message of ours has a map, so this has one form.
}

}  // namespace reprise::fuzz
