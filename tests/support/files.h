// Where a test stands, a folder of its own, and files read and written whole.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace reprise {

// Of the build in which this test program is: build/tests/unit_...
inline std::filesystem::path BuildFolder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

// As CMake noted it there: no path of the sources is compiled in.
inline std::filesystem::path SourceFolder() {
  std::ifstream cache(BuildFolder() / "CMakeCache.txt");
  const std::string key = "CMAKE_HOME_DIRECTORY:INTERNAL=";
  for (std::string line; std::getline(cache, line);) {
    if (line.rfind(key, 0) == 0) return line.substr(key.size());
  }
  throw std::runtime_error("no source folder in " + (BuildFolder() / "CMakeCache.txt").string());
}

// Empty when there is no such file.
inline std::string Slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
inline void Spit(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// A new folder for as long as this lives; gone with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string made = std::filesystem::temp_directory_path() / "reprise-test-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder " + made);
    path_ = made;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return path_ / below; }

 private:
  std::filesystem::path path_;
};

}  // namespace reprise
