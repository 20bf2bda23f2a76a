// libyara 4, opened when rules are given: the artifact libyara.so.9 of the step, else the host's own. A suspicious server has it
// rarely, and must still be examined otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugins/sdk/context.h"

namespace reprise::sanitize {

class Yara {
 public:
  // The artifacts *.yar and *.yara of the step, compiled; null: there are none. `include` is not followed. Throws sdk::Error
  // "yara_missing", "bad_rules" (which names the file and the line).
  static std::unique_ptr<Yara> OfStep(const sdk::Context& context);
  ~Yara();
  Yara(const Yara&) = delete;

  // Names of the rules that match. Throws sdk::Error "yara_failed": too long, too many matches, no memory.
  std::vector<std::string> Scan(int fd, std::chrono::seconds most) const;
  int rules() const;

 private:
  struct Library;
  explicit Yara(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace reprise::sanitize
