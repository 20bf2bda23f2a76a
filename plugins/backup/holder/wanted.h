// What the holder is told to attach: a JSON object in a file that only root may write.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace reprise::backup {

struct Wanted {
  std::string source;         // A block device, an image of one, or a folder.
  std::string target;         // Where it shall be seen; made if it is missing.
  std::string fstype = "auto";
  uint64_t offset = 0;        // Of the file system in the image, in bytes.
  std::string socket;         // Where it answers.

  bool operator==(const Wanted&) const = default;
};

inline nlohmann::json ToJson(const Wanted& wanted) {
  return {{"source", wanted.source}, {"target", wanted.target}, {"fstype", wanted.fstype}, {"offset", wanted.offset},
          {"socket", wanted.socket}};
}

// Throws nlohmann::json::exception when something is missing.
inline Wanted WantedOf(const nlohmann::json& object) {
  return {object.at("source").get<std::string>(), object.at("target").get<std::string>(), object.at("fstype").get<std::string>(),
          object.at("offset").get<uint64_t>(), object.at("socket").get<std::string>()};
}

}  // namespace reprise::backup
