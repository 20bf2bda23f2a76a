// Text that a person can read and cannot be misled by: UTF-8 in its shortest form, without control characters,
// invisible characters or marks that turn the direction of writing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reprise::crypto {

// Where the first byte stands that does not belong to plain text; npos: nowhere.
size_t FindUnplain(std::string_view text);

// The text with every unplain character replaced by a space and every stray byte by '?'.
std::string MakePlain(std::string_view text);

}  // namespace reprise::crypto
