#include "plugins/sanitize/golden.h"

#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {
namespace {

constexpr const char* kArtifact = "golden.sha256";
constexpr size_t kManifestMax = 256 << 20;

}  // namespace

std::unordered_map<std::string, std::string> GoldenOf(const sdk::Context& context) {
  std::unordered_map<std::string, std::string> golden;
  const auto artifact = context.artifacts().find(kArtifact);
  if (artifact == context.artifacts().end()) return golden;
  size_t number = 0;
  for (const std::string& line : Lines(sdk::ReadFile(artifact->second, kManifestMax))) {
    ++number;
    const bool good = line.size() > 67 && line.find_first_not_of("0123456789abcdef") == 64 && line[64] == ' ' &&
                      (line[65] == ' ' || line[65] == '*') && line[66] == '/';
    if (!good) {
      throw sdk::Error("bad_golden",
                       std::string(kArtifact) + ", line " + std::to_string(number) + ": expected \"<sha256>  /path\"",
                       "make it on a clean host with sha256sum, of absolute paths");
    }
    golden[line.substr(66)] = line.substr(0, 64);
  }
  if (golden.empty()) throw sdk::Error("bad_golden", std::string(kArtifact) + " has no line");
  return golden;
}

}  // namespace reprise::sanitize
