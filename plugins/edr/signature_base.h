// The base of signatures in its folder: which files, how many signatures, how old. Read from the files themselves, for the
// daemon does not say it of a base that is not the vendor's.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/edr/profile.h"

namespace reprise::edr {

struct BaseFile {
  int64_t signatures = 0;
  std::chrono::system_clock::time_point date;
};

struct SignatureBase {
  std::map<std::string, BaseFile> files;  // By name.
  int64_t signatures = 0;
  // Of its newest part; nothing if it has none.
  std::optional<std::chrono::system_clock::time_point> date;
};

// Text: a line is a signature, "# date: 2026-11-25" its date, else that of the file. Vendor's container: its header.
BaseFile ReadBaseFile(std::string_view beginning, int64_t lines, std::chrono::system_clock::time_point modified);

// Empty if there is no folder.
SignatureBase ReadSignatureBase(const Profile& profile);

// "2 signatures in reprise.ndb, of 2026-11-25"
std::string Describe(const SignatureBase& base);

// The artifacts of the step that are signatures: name -> path.
std::map<std::string, std::filesystem::path> SignatureArtifacts(const sdk::Context& context, const Profile& profile);

}  // namespace reprise::edr
