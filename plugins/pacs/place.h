// Where one imaging server's things stand. Everything is below one folder, so that a disk is mounted there and a look is
// enough to see what is there:
//
//   /srv/reprise/pacs/<name>/restored       the storage as it was proven, untouched; only root reads it
//                            storage        what the server writes from here on
//                            index          its index, made anew
//                            orthanc.json   its configuration
//                            log
#pragma once

#include <filesystem>
#include <string>

#include "plugins/sdk/context.h"

namespace reprise::pacs {

inline constexpr const char* kFolder = "/srv/reprise/pacs";

struct Place {
  explicit Place(const std::string& name) : folder(std::filesystem::path(kFolder) / name), service("reprise-pacs-" + name) {}
  explicit Place(const sdk::Context& context) : Place(context.Param("name")) {}

  std::filesystem::path folder;
  std::string service;

  std::filesystem::path restored() const { return folder / "restored"; }
  std::filesystem::path restoring() const { return folder / "restoring"; }
  std::filesystem::path storage() const { return folder / "storage"; }
  std::filesystem::path index() const { return folder / "index"; }
  std::filesystem::path configuration() const { return folder / "orthanc.json"; }
  std::filesystem::path log() const { return folder / "log"; }
};

// The parameter that every action has.
inline sdk::Param NameParam() {
  return sdk::Name("name").AtMost(40).Default("main").About("Which imaging server of this host: its things are in /srv/reprise/pacs/NAME");
}

}  // namespace reprise::pacs
