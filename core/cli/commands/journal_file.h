// A journal as people name it: the file, or the data folder that has it. Private to commands.
#pragma once

#include <filesystem>

#include "core/trust/coordinator_folder.h"

namespace reprise::cli {

inline std::filesystem::path JournalFile(const std::filesystem::path& given) {
  std::error_code error;
  return std::filesystem::is_directory(given, error) ? trust::CoordinatorFolder(given).Journal() : given;
}

}  // namespace reprise::cli
